/** Writes a module's next migration from its changed schema file: `npm run migration:new -- <module> <name>`. */
import './lib/typescript.mjs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const { newMigration } = await import('./lib/new-migration.ts');

const [module, name] = process.argv.slice(2);
if (!module || !name) {
  console.error('usage: migration-new <module> <name>');
  process.exit(2);
}
const prismaDir = join(dirname(fileURLToPath(import.meta.url)), '..', 'prisma');
try {
  const path = await newMigration({ prismaDir, module, name, now: new Date() });
  if (path) {
    console.log(`wrote ${relative(process.cwd(), path)}`);
    console.log(
      `Read it before you commit it: rights for trunkline_${module}, partitions, partial indexes and checks are yours to add.`,
    );
  } else console.log(`${module}: the migrations make what the schema says; nothing to do`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
