import type { Command } from 'commander';
import { type AdapterDescription, listAdapters, requestDawnAdapter } from '../node/dawn.js';
import type { Io } from './io.js';
import { toJson } from './run-fit.js';

export function addDevicesCommand(program: Command, io: Io): void {
  program
    .command('devices')
    .summary('list the adapters')
    .description('Lists the WebGPU adapters on this machine and the one that --device auto would use.')
    .option('--json', 'print them as JSON, with features and limits')
    .action(({ json }: { json?: boolean }) => printDevices(io, json));
}

async function printDevices({ stdout }: Io, json = false): Promise<void> {
  // Throws where there is none, and says what was tried.
  const chosen = await requestDawnAdapter();
  const { vendor, architecture, device, description } = chosen.adapter.info;
  const key = (of: Pick<AdapterDescription, 'vendor' | 'architecture' | 'device' | 'description' | 'source'>) =>
    [of.vendor, of.architecture, of.device, of.description, of.source].join('\n');
  const chosenKey = key({ vendor, architecture, device, description, source: chosen.source });
  chosen.release();
  const adapters = (await listAdapters()).map((adapter) => ({ ...adapter, used: key(adapter) === chosenKey }));
  if (json) {
    stdout.write(toJson({ adapters }));
    return;
  }
  const lines = adapters.map((adapter) => {
    const name = adapter.description || adapter.device || [adapter.vendor, adapter.architecture].join(' ');
    const from = adapter.source === 'packaged' ? 'the package @sparticuz/chromium' : 'the system';
    const largest = `buffers up to ${Math.floor(adapter.limits.maxStorageBufferBindingSize / 2 ** 20)} MiB`;
    const facts = [adapter.software ? 'software adapter' : 'GPU', adapter.backend, `from ${from}`, largest];
    return `${adapter.used ? '→' : ' '} ${name} (${facts.filter(Boolean).join(', ')})`;
  });
  const note = adapters.every(({ software }) => software) ? 'No GPU was found: the software adapter computes on the CPU.' : undefined;
  const end = ['→ is used by --device auto. --device cpu, the f64 reference, needs no adapter.', note];
  stdout.write(`${[...lines, '', ...end.filter(Boolean)].join('\n')}\n`);
}
