import { folderOf, MODULE_FILES, rule, SPEC } from './patterns.mjs';

const source = { path: '^src/', pathNot: SPEC };

/** Walls that are the same whatever the modules are. */
export function houseRules() {
  return [...placesOffLimits(), ...soundImports()];
}

function placesOffLimits() {
  return [
    rule(
      'generated-client-behind-repositories',
      'a generated Prisma client is a store: only the infrastructure of its own module, and the module file that wires it, know it',
      'put the query into a repository of the same module and use that',
      { path: '^src/modules/([^/]+)/', pathNot: [folderOf('infrastructure'), MODULE_FILES, SPEC] },
      { path: '^src/modules/$1/.*/generated/' },
    ),
    rule(
      'no-import-from-dist',
      'dist/ is what the compiler made of src/: an import from it passes every wall unseen',
      'import the source, by the way that is open to you',
      { path: '^src/' },
      { path: '^[./]*(?:dist|build)/' },
    ),
    rule(
      'no-import-from-prisma',
      'prisma/<module>/ holds the schema and migrations of one module, for its database only',
      'read data through the repositories of the module, or through the contract of another',
      { path: '^src/' },
      { path: '^[./]*prisma/' },
    ),
    rule(
      'no-import-from-test-or-bench',
      'the product does not run on its own tests; only a spec may use test/support',
      'move what the product needs into src/',
      source,
      { path: '^[./]*(?:test|bench)/' },
    ),
    rule(
      'no-import-from-spec',
      'a spec is not part of the build',
      'move what both need into a file of its own',
      source,
      { path: SPEC },
    ),
    rule(
      'no-import-from-outside-src',
      'what is not in src/ is neither compiled nor owned by a module',
      'move the file into the part of src/ that owns it, or read it as a file where it is configuration',
      { path: '^src/' },
      {
        path: '.',
        pathNot: ['^src/', '(?:^|/)node_modules/', '^[./]*(?:dist|build|prisma|test|bench)/'],
        dependencyTypes: ['local'],
      },
    ),
  ];
}

function soundImports() {
  return [
    rule(
      'no-alias',
      'an alias (a subpath import, a tsconfig path, the name of this package) can lead around a wall',
      'import by a relative path',
      { path: '^src/' },
      { dependencyTypes: ['aliased'] },
    ),
    rule(
      'no-unresolvable',
      'an import that leads nowhere cannot be judged',
      'correct the path, add the package to package.json, or generate the Prisma clients first',
      { path: '^src/' },
      { couldNotResolve: true },
    ),
    rule(
      'no-undeclared-package',
      'production installs the dependencies of package.json and nothing else',
      'move the package from devDependencies to dependencies, or declare it there',
      source,
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only', 'type-import'] },
    ),
    rule(
      'no-circular',
      'files that import each other load in an order nobody chose, and are one unit in truth; types count too',
      'move what both need into a third file, or pass it in',
      { path: '^src/', pathNot: '/generated/' },
      { circular: true },
    ),
  ];
}
