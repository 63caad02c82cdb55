// Which variables are Hatchet's own, and so never reach Terraform or any other program?

/** Every setting with Hatchet's prefix. */
export const hatchetNames = [
  'HATCHET_DATA_DIR',
  'HATCHET_ENCRYPTION_KEY',
  'HATCHET_HEAL_INTERVAL',
  'HATCHET_LINK_LIFETIME',
  'HATCHET_LOST_WAIT',
  'HATCHET_OPA_MIRROR',
  'HATCHET_POOLS',
  'HATCHET_POOL_WAIT',
  'HATCHET_REFRESH_WAIT',
  'HATCHET_REQUIRE_SANDBOX',
  'HATCHET_RUNNER_ENV',
  'HATCHET_RUNNER_KEY',
  'HATCHET_RUNNER_LISTEN',
  'HATCHET_RUNNER_NETWORK',
  'HATCHET_RUNNER_PATHS',
  'HATCHET_RUNNER_URL',
  'HATCHET_TEMPORAL_MIRROR',
  'HATCHET_TERRAFORM_MIRROR',
  'HATCHET_TOFU_MIRROR',
  'HATCHET_URL',
] as const;

/** Names that a glob must not reach, whether they are set now or not. */
export const ownNames: readonly string[] = [
  ...hatchetNames,
  'APP_ID',
  'PRIVATE_KEY',
  'PRIVATE_KEY_PATH',
  'WEBHOOK_SECRET',
  'DATABASE_URL',
  'TEMPORAL_ADDRESS',
  'TEMPORAL_API_KEY',
  'TEMPORAL_NAMESPACE',
  'TEMPORAL_TLS_CLIENT_KEY_DATA',
  'TEMPORAL_TLS_CLIENT_KEY_PATH',
];

export function isOwnName(name: string): boolean {
  return ownNames.includes(name) || /^(?:HATCHET_|TEMPORAL_|PRIVATE_KEY)/.test(name);
}
