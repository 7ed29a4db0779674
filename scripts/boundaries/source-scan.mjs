import { posix } from 'node:path';
import ts from 'typescript';

const RELATIVE = /^(?:\.\/|(?:\.\.\/)+)(?:[\w@-][\w@.-]*\/)*[\w@-][\w@.-]*\.(?:js|json)$/;
const BUILT_IN = /^node:[a-z0-9_]+(?:\/[a-z0-9_]+)*$/;
const PACKAGE = /^(?:@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*(?:\/[\w@-][\w@.-]*)*$/;

/** The rules that dependency-cruiser cannot hold, because it drops what it cannot resolve to a literal path. */
export const SCAN_RULES = {
  'no-computed-import':
    'where a computed import leads is known only when it runs. Way out: import a literal path; to choose at run time, choose among literal imports.',
  'no-hidden-import':
    'require, createRequire, getBuiltinModule, eval and Function load code past every wall. Way out: use an import statement, or import() of a literal path.',
  'plain-specifiers':
    'an import names a file by its relative path with .js or .json, a built-in as node:…, or a package; queries, aliases, URLs and absolute paths can lead around a wall. Way out: write the plain path.',
  'no-relative-augmentation':
    'to augment the types of another file is to reach into it. Way out: export from that file the type that is needed.',
  'addresses-stay-home':
    'a file that is addressed by new URL(…, import.meta.url) can be run as a worker, which no import rule sees. Way out: address a literal path inside the same module, or let the contract of the other module offer it.',
};

/**
 * Finds every import of a source text in TypeScript's own syntax tree, and what can import without being one.
 *
 * @param {string} path of the file below the root, like src/main.ts
 * @param {string} text its content
 * @param {string} packageName name of this package, which its own sources may not import
 * @returns {{specifiers: {text: string, line: number}[], findings: {rule: string, line: number, text: string}[]}}
 */
export function scanSource(path, text, packageName) {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const specifiers = [];
  const findings = [];
  const lineOf = (node) => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
  const scan = {
    imported: (node) => specifiers.push({ text: node.text, line: lineOf(node) }),
    found: (rule, node) => findings.push({ rule, line: lineOf(node), text: node.getText(file).slice(0, 100) }),
  };
  const visit = (node) => {
    visitNode(node, path, scan);
    ts.forEachChild(node, visit);
  };
  visit(file);
  for (const { fileName, pos } of file.referencedFiles) {
    specifiers.push({ text: fileName, line: file.getLineAndCharacterOfPosition(pos).line + 1, directive: true });
  }
  for (const { text: name, line, directive } of specifiers) {
    if (directive || path.includes('/generated/')) continue;
    if (!isPlain(name, packageName)) findings.push({ rule: 'plain-specifiers', line, text: name });
  }
  return { specifiers, findings };
}

function isPlain(specifier, packageName) {
  if (specifier === packageName || specifier.startsWith(`${packageName}/`)) return false;
  return RELATIVE.test(specifier) || BUILT_IN.test(specifier) || PACKAGE.test(specifier);
}

function visitNode(node, path, scan) {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    if (node.moduleSpecifier) scan.imported(node.moduleSpecifier);
  } else if (ts.isExternalModuleReference(node)) {
    scan.imported(node.expression);
  } else if (ts.isImportTypeNode(node)) {
    if (ts.isLiteralTypeNode(node.argument) && ts.isStringLiteralLike(node.argument.literal)) {
      scan.imported(node.argument.literal);
    }
  } else if (ts.isModuleDeclaration(node)) {
    if (ts.isStringLiteral(node.name) && !PACKAGE.test(node.name.text)) scan.found('no-relative-augmentation', node);
  } else if (ts.isIdentifier(node)) {
    if (['createRequire', 'getBuiltinModule'].includes(node.text) && !onlyResolves(node)) {
      scan.found('no-hidden-import', node.parent);
    }
  } else if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
    visitCall(node, path, scan);
  }
}

function visitCall(node, path, scan) {
  const callee = node.expression;
  const [first, second] = node.arguments ?? [];
  if (callee.kind === ts.SyntaxKind.ImportKeyword || isImportPhase(callee)) {
    if (callee.kind === ts.SyntaxKind.ImportKeyword && first && ts.isStringLiteralLike(first)) scan.imported(first);
    else scan.found('no-computed-import', node);
  } else if (ts.isPropertyAccessExpression(callee) && callee.name.text === 'require') {
    scan.found('no-hidden-import', node);
  } else if (ts.isIdentifier(callee)) {
    if (['require', 'eval', 'Function'].includes(callee.text)) scan.found('no-hidden-import', node);
    if (callee.text === 'URL' && second && isFileUrl(second) && !staysHome(first, path)) {
      scan.found('addresses-stay-home', node);
    }
  }
}

/** createRequire(…).resolve(…) finds a file and loads nothing; who may import the name is for the package rules. */
function onlyResolves(node) {
  const { parent } = node;
  if (ts.isImportSpecifier(parent)) return !parent.propertyName;
  if (!ts.isCallExpression(parent) || parent.expression !== node) return false;
  return ts.isPropertyAccessExpression(parent.parent) && parent.parent.name.text === 'resolve';
}

/** import.defer(…) and import.source(…), which the linter takes for plain calls. */
const isImportPhase = (node) => ts.isMetaProperty(node) && node.name.text !== 'meta';

const isFileUrl = (node) =>
  ts.isPropertyAccessExpression(node) && node.name.text === 'url' && ts.isMetaProperty(node.expression);

function staysHome(address, path) {
  const home = /^src\/modules\/[^/]+\//.exec(path)?.[0];
  if (!ts.isStringLiteralLike(address)) return !home;
  const target = posix.join(posix.dirname(path), address.text);
  return home ? target.startsWith(home) : !target.startsWith('src/modules/');
}
