import { LAYERS, wayDown } from './architecture.mjs';
import { houseRules } from './house-rules.mjs';
import { CONTRACTS, folderOf, MODULE_FILES, packagePaths, rule, SPEC } from './patterns.mjs';

/** One rule per ordered pair of modules, so that a violation names both and the way that is open between these two. */
function pairRules({ modules }) {
  const names = Object.keys(modules);
  return names.flatMap((a) => names.filter((b) => b !== a).map((b) => pairRule(modules, a, b)));
}

function pairRule(modules, a, b) {
  const from = { path: `^src/modules/${a}/` };
  const path = `^src/modules/${b}/`;
  const open = (kinds) => ({ path, pathNot: `${path}contract/[^/]+\\.${kinds}\\.ts$` });
  if (modules[a].calls.includes(b)) {
    return rule(
      `${a}-calls-${b}-by-contract`,
      `${a} calls ${b} through its contract and nothing else: all that is not in ${b}/contract/ is ${b}'s own`,
      `use what ${b}.api.ts, ${b}.errors.ts or ${b}.events.ts in ${b}/contract/ offers, or let ${b} offer there what ${a} lacks`,
      from,
      open('(?:api|events|errors)'),
    );
  }
  if (modules[a].hears.includes(b)) {
    return rule(
      `${a}-only-hears-${b}`,
      `${a} hears ${b} and does not call it: only ${b}/contract/*.events.ts is open to it`,
      `take what is needed from ${b}'s events; if ${a} has to call ${b}, declare that under "calls" in architecture.json`,
      from,
      open('events'),
    );
  }
  const upward = wayDown(modules, b, a);
  return upward
    ? rule(
        `${a}-keeps-off-${b}`,
        `${b} stands above ${a} (${upward.join(' -> ')}), and nothing runs upward, neither call nor import`,
        `let ${a} publish an event that ${b} hears, or let ${b} call ${a}; code that both need and that knows no domain belongs in src/shared`,
        from,
        { path },
      )
    : rule(
        `${a}-keeps-off-${b}`,
        `${a} neither calls nor hears ${b}`,
        `declare the call or the subscription in architecture.json, if the tower has room for it, and use ${b}/contract/; or let a module above both bring them together`,
        from,
        { path },
      );
}

const LAYER_REASONS = {
  contract:
    'a contract is the published language of a module: schemas, types and abstract classes that any caller can load',
  domain: 'the domain decides and does nothing else: time, ids, chance and stored state come in as arguments',
  application: 'a use case stands between the edge and the stores: it knows neither HTTP nor how the module is wired',
  infrastructure: 'repositories and adapters serve the use cases and know neither them nor HTTP',
  http: 'a controller reaches the stores through a use case only',
};

function layerRules({ layers, surroundings }) {
  return LAYERS.flatMap((name) => {
    const { imports, packages } = layers[name];
    const own = imports.filter((part) => LAYERS.includes(part));
    const around = imports.filter((part) => Object.hasOwn(surroundings, part));
    const others = imports.includes('other contracts') ? ['^src/modules/(?!$1/)'] : [];
    const from = { path: `^src/modules/([^/]+)/${name}/`, pathNot: SPEC };
    const walls = rule(
      `layer-${name}`,
      `${LAYER_REASONS[name]}; it may import ${imports.join(', ')}`,
      'move the code to the layer where it belongs, or pass in as an argument what it asks for',
      from,
      {
        path: ['^src/modules/', ...importable(layers, surroundings).map(folderOf)],
        pathNot: [`^src/modules/$1/(?:${own.join('|')})/`, ...around.map(folderOf), ...others],
      },
    );
    return packages ? [walls, packagesOf(name, packages, from)] : [walls];
  });
}

/** The surroundings that stand below the modules: some layer may import them. The others put the modules together. */
const importable = (layers, surroundings) =>
  Object.keys(surroundings).filter((name) => LAYERS.some((layer) => layers[layer].imports.includes(name)));

/** A part that lists its packages takes nothing else from outside src/, Node's own modules included. */
function packagesOf(name, packages, from) {
  return rule(
    `packages-of-${name}`,
    `${name} is free of technique: outside src/ it may import ${packages.join(', ') || 'nothing'}${packages.length ? ' and nothing else' : ''}, Node's own modules included`,
    `pass in what the package would do, move the code to a layer that may use it, or add a package that is pure to ${name} in architecture.json`,
    from,
    {
      path: ['(?:^|/)node_modules/', '^[^./]'],
      pathNot: ['^src/', ...packages.flatMap(packagePaths)],
    },
  );
}

const SURROUNDING_REASONS = {
  shared: [
    'shared knows no domain and no technique, or everything would depend on everything',
    'move the file to the module that owns the notion, or pass in what it needs',
  ],
  platform: [
    'the platform is technique that knows no domain: modules stand on it, it stands on shared',
    'let the module hand the platform a function, an object or a definition; domain code belongs in its module',
  ],
  app: [
    'the composition root puts the modules together: their module files and contracts are all it needs',
    'let the module offer it in its contract/, or register it in its module file',
  ],
};
const ENTRY_REASON = [
  'an entry starts the composition root, which alone knows the modules',
  'do it in src/app and call that',
];

function surroundingRules({ layers, surroundings }) {
  const places = { contracts: CONTRACTS, 'module files': MODULE_FILES };
  const walls = Object.entries(surroundings).flatMap(([name, { imports, packages }]) => {
    const [why, wayOut] = SURROUNDING_REASONS[name] ?? ENTRY_REASON;
    const from = { path: folderOf(name) };
    const wall = rule(
      `surroundings-${name.replace('.ts', '')}`,
      `${why}; it may import ${imports.join(', ')}`,
      wayOut,
      from,
      {
        path: '^src/',
        pathNot: imports.map((part) => places[part] ?? folderOf(part)),
      },
    );
    return packages ? [wall, packagesOf(name, packages, { ...from, pathNot: SPEC })] : [wall];
  });
  const below = importable(layers, surroundings);
  const noApp = rule(
    'modules-know-no-app',
    'a module does not know who puts it together: nothing but an entry imports the composition root',
    'let the app pass it in through the module file, or move it to src/platform or src/shared if it knows no domain',
    { path: '^src/modules/' },
    {
      path: Object.keys(surroundings)
        .filter((name) => !below.includes(name))
        .map(folderOf),
    },
  );
  return [...walls, noApp];
}

function packageRules({ packages }) {
  return Object.entries(packages).map(([name, { only, because }]) =>
    rule(
      `package-${name.replace(/^@/, '').replace(/[/:]/g, '-').replace('*', '')}`,
      `${name} is used ${only.length ? `only in ${only.join(' and ')}` : 'nowhere'}: ${because}`,
      only.length ? `ask ${only.join(' or ')} for what it does, or let that offer it` : 'do without it',
      only.length ? { path: '^src/', pathNot: [...only.map(folderOf), SPEC] } : { path: '^src/' },
      { path: packagePaths(name) },
    ),
  );
}

/** How imports are found and resolved. Nothing is filtered out: what is not seen cannot be refused. */
const OPTIONS = {
  doNotFollow: { path: '^(?!src/)' },
  parser: 'tsc',
  tsPreCompilationDeps: true,
  detectJSDocImports: true,
  detectImportsInAmbientModules: true,
  detectProcessBuiltinModuleCalls: true,
  skipAnalysisNotInRules: true,
  tsConfig: { fileName: 'tsconfig.json' },
  enhancedResolveOptions: {
    exportsFields: ['exports'],
    conditionNames: ['source', 'types', 'import', 'require', 'node', 'default'],
    mainFields: ['main', 'types'],
  },
};

/** The configuration of dependency-cruiser that holds the walls which architecture.json describes. */
export function configurationOf(architecture) {
  return {
    forbidden: [
      ...pairRules(architecture),
      ...layerRules(architecture),
      ...surroundingRules(architecture),
      ...packageRules(architecture),
      ...houseRules(),
    ],
    options: OPTIONS,
  };
}
