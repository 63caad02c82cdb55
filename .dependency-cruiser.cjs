// Which folder may import which: app → workflows ← activities, and the model stays pure.
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'model-is-pure',
      comment: 'workflows/model imports only itself and the schema library: no clock, no randomness, no I/O.',
      severity: 'error',
      from: { path: '^workflows/model/' },
      to: { pathNot: ['^workflows/model/', '^node_modules/zod/'] },
    },
    {
      name: 'workflows-are-the-kernel',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { pathNot: ['^workflows/', '^node_modules/(zod|@temporalio/(workflow|common))/'] },
    },
    {
      name: 'activities-know-only-workflows',
      severity: 'error',
      from: { path: '^activities/' },
      to: { path: '^(app|policies|fixtures|test)/' },
    },
    {
      name: 'only-the-worker-joins',
      comment:
        'app/worker.ts is the only place where activities meet workflows; app/audit.ts and app/kept-state.ts only read the record.',
      severity: 'error',
      from: { path: '^app/', pathNot: '^app/(worker|audit|kept-state)\\.ts$' },
      to: { path: '^activities/' },
    },
    {
      name: 'product-imports-no-fixtures',
      severity: 'error',
      from: { path: '^(app|workflows|activities)/' },
      to: { path: '^(policies|fixtures|test)/' },
    },
    {
      name: 'sandbox-stands-alone',
      comment: 'The sandbox GitHub knows GitHub, not Hatchet.',
      severity: 'error',
      from: { path: '^fixtures/sandbox/' },
      to: { path: '^(app|workflows|activities|policies|test)/' },
    },
    {
      name: 'no-dev-dependency-in-the-product',
      severity: 'error',
      from: { path: '^(app|workflows|activities)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
