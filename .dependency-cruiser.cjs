/**
 * The layer rules of ARCHITECTURE.md. tools/layers.ts runs them over src/ and, to prove that they bite, over
 * the deliberate violations in tools/layers-canary/.
 */
const ROOT = process.env.LYREBIRD_LAYERS_ROOT ?? 'src';

/** From top to bottom; a layer may import itself and what stands below it. */
const LAYERS = [
  'cli',
  'server',
  'admin',
  'protocols',
  'net',
  'core',
  'storage',
  'security',
  'telemetry',
  'base',
];

const tests = '\\.test\\.ts$';

const downwards = LAYERS.slice(1).map((layer, i) => ({
  name: `layers-${layer}-imports-downwards`,
  comment: `${layer} may not import a layer above it`,
  severity: 'error',
  from: { path: `^${ROOT}/${layer}/`, pathNot: tests },
  to: {
    path: `^${ROOT}/(${[...LAYERS.slice(0, i + 1), 'testing'].join('|')})/|^${ROOT}/index\\.ts$`,
  },
}));

module.exports = {
  forbidden: [
    ...downwards,
    {
      name: 'no-cycles',
      comment: 'modules that need each other are one module',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'protocols-stand-alone',
      comment: 'a protocol never imports another one',
      severity: 'error',
      from: { path: `^${ROOT}/protocols/([^/]+)/` },
      to: { path: `^${ROOT}/protocols/([^/]+)/`, pathNot: `^${ROOT}/protocols/$1/` },
    },
    {
      name: 'protocols-not-storage',
      comment: 'protocols translate and ask core; of storage they see types only',
      severity: 'error',
      from: { path: `^${ROOT}/protocols/`, pathNot: tests },
      to: { path: `^${ROOT}/storage/`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'protocols-only-from-server',
      comment: 'deleting a protocol folder breaks nothing but the registry in server/',
      severity: 'error',
      from: { path: `^${ROOT}/`, pathNot: `^${ROOT}/(server|protocols)/|${tests}` },
      to: { path: `^${ROOT}/protocols/` },
    },
    {
      name: 'codec-imports-base-only',
      comment: 'codecs are pure functions of bytes',
      severity: 'error',
      from: { path: `^${ROOT}/protocols/([^/]+)/codec/`, pathNot: tests },
      to: { path: `^${ROOT}/`, pathNot: `^${ROOT}/(base/|protocols/$1/codec/)` },
    },
    {
      name: 'config-is-a-leaf',
      comment: 'configuration is read at the edge; it knows base only',
      severity: 'error',
      from: { path: `^${ROOT}/config/`, pathNot: tests },
      to: { path: `^${ROOT}/`, pathNot: `^${ROOT}/(config|base)/` },
    },
    {
      name: 'config-only-at-the-edge',
      comment: 'inner layers get values by constructor, never the configuration',
      severity: 'error',
      from: {
        path: `^${ROOT}/(protocols|net|core|storage|security|telemetry|base)/`,
        pathNot: tests,
      },
      to: { path: `^${ROOT}/config/` },
    },
    {
      name: 'core-and-storage-use-ports',
      comment:
        'no system calls in core and storage: the simulator must be able to stand in for the machine',
      severity: 'error',
      from: {
        path: `^${ROOT}/(core|storage)/`,
        pathNot: `^${ROOT}/storage/node-[^/]+\\.ts$|${tests}`,
      },
      to: {
        path: '^(node:)?(fs|fs/promises|net|tls|http|https|timers|timers/promises|child_process|os)$',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['node_modules/(?!\\.)', 'dist/'] },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'] },
  },
};
