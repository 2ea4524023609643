/**
 * Published peaks of GPUs, and the bound of the time of some work on them. **Estimates**: nothing here was measured, no kernel reaches a peak, and
 * a GPU in a laptop or a phone lowers its clock. The planner does not read them: an adapter seldom says which GPU it is.
 */
import type { Profile } from '../../engine.js';
import { InputError } from '../../errors.js';
import type { AdapterFacts } from './planner.js';

/** A pass over small data on a GPU takes some 5 µs with the barrier behind it, whichever GPU it is: an order of magnitude. */
const dispatchSeconds = 5e-6;

const known: readonly Omit<Profile, 'dispatchSeconds'>[] = [
  {
    name: 'h100-sxm',
    label: 'NVIDIA H100 SXM5',
    bandwidth: 3352e9,
    flops: 66.9e12,
    units: 132,
    lanesPerUnit: 128,
    sources: {
      bandwidth: 'NVIDIA H100 Tensor Core GPU Architecture (whitepaper): 5 stacks of HBM3, 3352 GB/s',
      flops: 'the same: 66.9 TFLOPS of FP32 outside the tensor cores',
      units: 'the same: 132 SMs of 128 FP32 cores',
    },
  },
  {
    name: 'rtx-4090',
    label: 'NVIDIA GeForce RTX 4090',
    bandwidth: 1008e9,
    flops: 82.6e12,
    units: 128,
    lanesPerUnit: 128,
    sources: {
      bandwidth: 'NVIDIA Ada GPU Architecture (whitepaper): GDDR6X, 1008 GB/s',
      flops: 'the same: 82.6 TFLOPS of FP32 at 2520 MHz',
      units: 'the same: 128 SMs of 128 FP32 cores',
    },
  },
  {
    name: 'rx-7900-xtx',
    label: 'AMD Radeon RX 7900 XTX',
    bandwidth: 960e9,
    flops: 61.4e12,
    units: 96,
    lanesPerUnit: 128,
    sources: {
      bandwidth: 'AMD, product page of the RX 7900 XTX: up to 960 GB/s; the Infinity Cache is left out',
      flops: 'the same: 61.4 TFLOPS of FP32 at 2.5 GHz, which takes two instructions a cycle',
      units: 'the same: 96 compute units of 64 stream processors, each of which can issue two',
    },
  },
  {
    name: 'm4-max',
    label: 'Apple M4 Max, 40 cores',
    bandwidth: 546e9,
    flops: 17.2e12,
    units: 40,
    lanesPerUnit: 128,
    sources: {
      bandwidth: 'Apple Newsroom, 30 October 2024: up to 546 GB/s',
      flops: 'Apple publishes none: 40 cores × 128 lanes × 2 × 1.68 GHz, a clock that databases list (hmc-tech.com)',
      units: 'Apple Newsroom, 30 October 2024: up to 40 cores; lanes of a core as for the M1 (philipturner/metal-benchmarks)',
    },
  },
  {
    name: 'radeon-780m',
    label: 'AMD Radeon 780M',
    bandwidth: 120e9,
    flops: 8.29e12,
    units: 12,
    lanesPerUnit: 128,
    sources: {
      bandwidth: 'AMD, product page of the Ryzen 7 7840U: LPDDR5x-7500, 128 bits; DDR5-5600 has 89.6 GB/s',
      flops: '12 compute units × 128 × 2 × 2.7 GHz (the same page), which takes two instructions a cycle',
      units: 'the same: 12 compute units of RDNA 3',
    },
  },
  {
    name: 'iris-xe',
    label: 'Intel Iris Xe, 96 EUs',
    bandwidth: 68.3e9,
    flops: 2.07e12,
    units: 96,
    lanesPerUnit: 8,
    sources: {
      bandwidth: 'Intel, specifications of the Core i7-1185G7: LPDDR4x-4267, 128 bits',
      flops: '96 execution units × 8 × 2 × 1.35 GHz (the same page)',
      units: 'the same: 96 execution units; 8 lanes of f32 in one of Xe-LP',
    },
  },
  {
    name: 'adreno-750',
    label: 'Qualcomm Adreno 750',
    bandwidth: 76.8e9,
    flops: 2.77e12,
    units: 12,
    lanesPerUnit: 128,
    sources: {
      bandwidth: 'Qualcomm, product brief of the Snapdragon 8 Gen 3: LPDDR5x at 4800 MHz; 64 bits',
      flops: 'Qualcomm publishes none: 1536 lanes × 2 × 0.903 GHz, as databases list them',
      units: 'not published: 1536 lanes as databases list them, taken as 12 units of 128',
    },
  },
];

/** GPUs by name. */
export const profiles: Readonly<Record<string, Profile>> = Object.fromEntries(
  known.map((profile) => [profile.name, { ...profile, dispatchSeconds }]),
);

/** @throws InputError for a name that is not in `profiles`, with those that are. */
export function profileOf(profile: string | Profile): Profile {
  if (typeof profile === 'object' && profile !== null) return profile;
  if (typeof profile === 'string' && Object.hasOwn(profiles, profile)) return profiles[profile];
  throw new InputError(`There is no profile '${profile}'; there are ${Object.keys(profiles).join(', ')}.`, { option: 'profile' });
}

/**
 * What a plan on a profile is made for: a GPU with subgroups, the least limits of WebGPU, and bindings of 1 GiB. The limits of a GPU depend
 * on its driver, too.
 */
export const factsOfProfiles: AdapterFacts = {
  software: false,
  subgroups: true,
  maxWorkgroupsPerDimension: 65_535,
  maxStorageBinding: 2 ** 30,
  maxBufferSize: 2 ** 30,
  maxWorkgroupStorage: 16_384,
  maxInvocationsPerWorkgroup: 256,
};

/** The part of a GPU that so many invocations fill: all of it from one invocation a lane on. */
export function shareOf(invocations: number, { units, lanesPerUnit }: Profile): number {
  return Math.min(1, invocations / (units * lanesPerUnit));
}

/**
 * The bound of a dispatch in seconds, by the roofline (Williams, Waterman & Patterson 2009): the longer one of its bytes and its
 * operations, each at the share of the peak that its invocations fill, and the time of a dispatch. It is a lower bound for a dispatch that
 * fills the GPU and whose data come from memory. Data in a cache come faster than `bandwidth`, and few invocations with many loads in
 * flight draw more than their share of it.
 */
export function boundSeconds(
  { bytes, operations, invocations }: { bytes: number; operations: number; invocations: number },
  profile: Profile,
): number {
  const { bandwidth, flops, dispatchSeconds } = profile;
  return Math.max(bytes / bandwidth, operations / flops) / shareOf(invocations, profile) + dispatchSeconds;
}
