import { PLANTED } from './planted.js';
import { simulate } from './simulate.js';
for (const [name, parts] of Object.entries(PLANTED)) {
  if (!new RegExp(process.argv[3] ?? '').test(name)) continue;
  let found: string | null = null; let seed = 1;
  for (; seed < Number(process.argv[2] ?? 1000) && !found; seed++) { const v = await simulate(seed, parts); if (v.violation && !v.violation.includes('is canceled, and')) found = v.violation; }
  console.log(name, '|', seed - 1, found?.slice(0, 150));
}
