import { type Command, Option } from 'commander';
import { InputError } from '../errors.js';
import { type AdapterDescription, listAdapters, requestDawnAdapter } from '../node/dawn.js';
import { profiles } from '../webgpu/plan/profiles.js';
import { costLines, costOnProfile } from './cost.js';
import type { Io } from './io.js';
import { planLines, planOfAdapter } from './plan.js';
import { toJson } from './run-fit.js';

const examples = `
Examples:
  orthant devices
  orthant devices --plan                    the kernels that it runs, tuned or not
  orthant devices --plan --profile ${Object.keys(profiles)[0]}
  orthant devices --json
`;

export function addDevicesCommand(program: Command, io: Io): void {
  program
    .command('devices')
    .summary('list the adapters')
    .description('Lists the WebGPU adapters on this machine and the one that --device auto would use.')
    .option('--json', 'print them as JSON, with features and limits')
    .option('--plan', 'also the kernels that it runs, untuned and tuned, and how many dispatches an iteration is')
    .addOption(
      new Option(
        '--profile <name>',
        'with --plan: what a GPU would run that need not be here, and the bytes, operations and time of an iteration, estimated from published peaks',
      ).choices(Object.keys(profiles)),
    )
    .addHelpText('after', examples)
    .action(({ json, plan, profile }: DevicesOptions) => {
      if (profile === undefined) return printDevices(io, { json, plan });
      if (!plan) throw new InputError('--profile is for --plan; give both, or neither.');
      const cost = costOnProfile(profile);
      if (json) io.stdout.write(toJson({ plan: cost }));
      else io.stdout.print(costLines(cost));
    });
}

interface DevicesOptions {
  json?: boolean;
  plan?: boolean;
  profile?: string;
}

const faster =
  'Mesa’s software adapter, lavapipe, is about three times as fast as SwiftShader and is used where it is: apt install mesa-vulkan-drivers (tried on Debian 13, Mesa 25.0; Mesa 22.3 is too old).';

async function printDevices(io: Io, { json = false, plan = false }): Promise<void> {
  const { stdout } = io;
  // Throws where there is none, with the attempts.
  const chosen = await requestDawnAdapter();
  const { vendor, architecture, device, description } = chosen.adapter.info;
  const key = (of: Pick<AdapterDescription, 'vendor' | 'architecture' | 'device' | 'description' | 'source'>) =>
    [of.vendor, of.architecture, of.device, of.description, of.source].join('\n');
  const chosenKey = key({ vendor, architecture, device, description, source: chosen.source });
  const { passedOver } = chosen;
  chosen.release();
  const adapters = (await listAdapters()).map((adapter) => ({ ...adapter, used: key(adapter) === chosenKey }));
  if (json) {
    stdout.write(toJson({ adapters, ...(plan ? { plan: (await planOfAdapter(io)).plan } : {}) }));
    return;
  }
  const lines = adapters.map((adapter) => {
    const name = adapter.description || adapter.device || [adapter.vendor, adapter.architecture].join(' ');
    const from = adapter.source === 'packaged' ? 'the package @sparticuz/chromium' : 'the system';
    const largest = `buffers up to ${Math.floor(adapter.limits.maxStorageBufferBindingSize / 2 ** 20)} MiB`;
    const facts = [adapter.software ? 'software adapter' : 'GPU', adapter.backend, `from ${from}`, largest];
    return `${adapter.used ? '→' : ' '} ${name} (${facts.filter(Boolean).join(', ')})`;
  });
  const onlySwiftShader =
    process.platform === 'linux' && adapters.every(({ software, description }) => software && /swiftshader/i.test(description));
  const end = [
    '→ is used by --device auto. --device cpu, the f64 reference, needs no adapter.',
    ...passedOver,
    ...(adapters.every(({ software }) => software) ? ['No GPU was found: the software adapter computes on the CPU.'] : []),
    ...(onlySwiftShader ? [faster] : []),
  ];
  const planned = plan ? ['', ...planLines(await planOfAdapter(io))] : [];
  stdout.print([...lines, '', ...end, ...planned]);
}
