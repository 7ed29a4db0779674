const HEADER = `/**
 * Generated from architecture.json by \`node scripts/boundaries.mjs generate\`: change that file, not this one.
 *
 * Every rule says why it stands and what to do instead. A path in "from" and "to" is a regular expression on paths
 * below the root; $1 in "to" is what the first group in "from" matched, which is the importing module.
 */
`;

const BARE_KEY = /^[a-zA-Z_]\w*$/;

/** A value as JavaScript with single quotes, on one line. */
function inline(value) {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (value === null || typeof value !== 'object') return String(value);
  const entries = Object.entries(value).map(
    ([key, item]) => `${BARE_KEY.test(key) ? key : quoted(key)}: ${inline(item)}`,
  );
  return entries.length ? `{ ${entries.join(', ')} }` : '{}';
}

function quoted(text) {
  const body = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return body.includes("'") && !body.includes('"') ? `"${body}"` : `'${body.replaceAll("'", "\\'")}'`;
}

const fields = (object, indent) =>
  Object.entries(object)
    .map(([key, value]) => `${indent}${key}: ${inline(value)},\n`)
    .join('');

/** The text of .dependency-cruiser.js: one rule a block, one field a line. */
export function render({ forbidden, options }) {
  const rules = forbidden.map((rule) => `    {\n${fields(rule, '      ')}    },\n`).join('');
  return `${HEADER}export default {\n  forbidden: [\n${rules}  ],\n  options: {\n${fields(options, '    ')}  },\n};\n`;
}
