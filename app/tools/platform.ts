// For which platform do we fetch tools on this machine?
import type { PlatformName } from './versions.ts';

const names: Readonly<Record<string, PlatformName>> = {
  'linux x64': 'linux_amd64',
  'linux arm64': 'linux_arm64',
  'darwin x64': 'darwin_amd64',
  'darwin arm64': 'darwin_arm64',
};

/** Null where the makers publish nothing that we could use. */
export function platformName(platform: string, arch: string): PlatformName | null {
  return names[`${platform} ${arch}`] ?? null;
}
