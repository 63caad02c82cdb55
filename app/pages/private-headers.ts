// What does every answer below `/runs/` say to browsers and proxies?

/** The address is a secret, and so is what it opens. */
export const privateHeaders = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex',
} as const;
