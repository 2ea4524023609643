/** `orthant gather`: the shards of a sweep as one. */
import type { Command } from 'commander';
import { InputError, OrthantError } from '../errors.js';
import { checkOutputFolder } from '../node/files.js';
import { gather } from '../sweep/gather.js';
import { summaryOf } from '../sweep/summary.js';
import { readSpec } from '../sweep/sweep-folder.js';
import type { Io } from './io.js';
import { toJson } from './run-fit.js';
import { alignFacts } from './summary.js';
import { summaryLines, writeSummary } from './sweep.js';
import { describeSweep, listed } from './sweep-summary.js';
import { wrapAll } from './text-width.js';

const notes = `
One folder in which all shards have worked is checked and summarised. Several folders are copied
together into --out, which may be one of them; they stay as they are. A shard or a fit that is
missing is named, and the exit status is 1.

Examples:
  orthant gather sweep                           one folder that all shards shared
  orthant gather part1 part2 part3 --out sweep   a folder for each shard
`;

export function addGatherCommand(program: Command, io: Io): void {
  program
    .command('gather')
    .summary('put the shards of a sweep together')
    .description('Puts the shards of a sweep together, and names what is missing.')
    .argument('<dirs...>', 'folders that orthant sweep --shard made')
    .option('--out <dir>', 'the folder that they are copied into; it may be left out for one folder')
    .option('--json', 'print what summary.json holds, and nothing else, on standard output')
    .addHelpText('after', notes)
    .action((dirs: string[], options: { out?: string; json?: boolean }) => gathered(io, dirs, options));
}

async function gathered(io: Io, dirs: string[], { out: given, json }: { out?: string; json?: boolean }): Promise<void> {
  if (dirs.length > 1 && given === undefined)
    throw new InputError(`${dirs.length} folders are given; --out names the folder that they are copied into.`, { option: 'out' });
  const out = given ?? dirs[0];
  for (const dir of dirs) await readSpec(dir); // before a folder is made of a name that is none
  await checkOutputFolder(out, ['sweep.json', 'summary.json', 'sweep.svg']);
  const { spec, copied, shards, missingShards } = await gather(dirs, out);
  const summary = await summaryOf(out, spec);
  const written = await writeSummary(out, summary);
  if (json) io.stdout.write(toJson({ ...summary, shards, missingShards }));
  else {
    const { columns } = io.stdout;
    const facts: [string, string][] = [
      ['sweep', describeSweep(spec)],
      ...(shards.length > 0 ? [['shards', listed(shards.map(shardText))] as [string, string]] : []),
      ['device', summary.devices.join('; ')],
      ...(dirs.length > 1 || out !== dirs[0] ? [['copied', `${copied} fits`] as [string, string]] : []),
      ['written', `${out}: ${written.join(', ')}`],
    ];
    const gone = missingShards.map(({ index, of }) => `Shard ${index}/${of} has not been here.`);
    const cut = shards.filter(({ ended }) => !ended).map(({ index, of }) => `Shard ${index}/${of} has begun and not ended.`);
    const sentences = summary.complete ? [] : wrapAll([...gone, ...cut], columns);
    io.stdout.print([
      ...alignFacts(facts, { columns }),
      '',
      ...summaryLines(summary, out, columns),
      ...(sentences.length > 0 ? ['', ...sentences] : []),
    ]);
  }
  if (summary.complete) return;
  const { length } = [...summary.failed, ...summary.missing];
  const all = spec.ranks.length * spec.restarts;
  const shardsGone = missingShards.length > 0 ? `: ${listed(missingShards.map(({ index, of }) => `shard ${index}/${of}`))}` : '';
  throw new OrthantError(
    `${length} of ${all} fits are missing or failed in '${out}'${shardsGone}. Run orthant sweep with --out '${out}' again, or the shards that are missing.`,
  );
}

const shardText = ({ index, of, ended }: { index: number; of: number; ended: boolean }) => `${index}/${of}${ended ? '' : ' (not ended)'}`;
