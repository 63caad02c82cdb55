// How is one problem told, whoever found it: Terraform, hatchet.yaml, a policy?

/** `path` is relative to the repository's root; lines and columns count from 1. */
export type Diagnostic = {
  readonly severity: 'error' | 'warning';
  readonly summary: string;
  readonly detail: string;
  readonly path?: string;
  readonly startLine?: number;
  readonly endLine?: number;
  readonly startColumn?: number;
  readonly endColumn?: number;
  /** The resource it is about. */
  readonly address?: string;
};

/** More than this many are counted, not carried: history holds references and counts only. */
export const maxDiagnosticsCarried = 10;
