import { simulate } from './simulate.js';
const from = Number(process.argv[2] ?? 1); const n = Number(process.argv[3] ?? 200);
const c0 = process.cpuUsage(); const t = performance.now(); let turns = 0; const found = new Map<string, number[]>();
for (let seed = from; seed < from + n; seed++) {
  const v = await simulate(seed, undefined, n === 1);
  turns += v.turns;
  if (v.violation) { const k = v.violation.replace(/\+1555000000\d/, 'N').slice(0, 400); (found.get(k) ?? found.set(k, []).get(k)!).push(seed); }
  if (n === 1) console.log(v.trace.join('\n'), v.violation);
}
const ms = performance.now() - t; const cpu = process.cpuUsage(c0);
for (const [k, seeds] of found) console.log(seeds.length, k, seeds.slice(0, 8).join(' '));
console.log(`${n} schedules, ${(turns / n).toFixed(0)} turns each, ${((n / ms) * 1000).toFixed(0)}/s, ${((n / (cpu.user + cpu.system)) * 1e6).toFixed(0)} per CPU second`);
