/** What a process that runs jobs and the one that started it say to each other. */
import type { BatchJob } from './batch-job.js';
import type { JobOutcome, JobProgress } from './job.js';
import type { Job } from './plan.js';

/** How a child computes. */
export interface ChildSettings {
  /** The kind of device, as in `createEngine`. */
  device: 'auto' | 'gpu' | 'software' | 'cpu';
  /** Which of two GPUs, as in `createEngine`. */
  powerPreference?: 'high-performance' | 'low-power';
}

/** A job, and the folder that its model, or its part of a batch, goes to. */
export interface Task<One extends Job | BatchJob = Job | BatchJob> {
  job: One;
  into: string;
  /** Where files of the job lie on this machine, by their hashes; those that are not here are at their own paths. */
  places?: Readonly<Record<string, string>>;
}

/** Why a job has no result. */
export interface JobFailure {
  /** The class of the error: see src/errors.ts. */
  name: string;
  message: string;
  /**
   * When it came. 'setup': before the fit, by the device, the version or the data, which other jobs here would meet as well. 'fit': by the
   * fit. 'death': the process that ran it has ended.
   */
  phase: 'setup' | 'fit' | 'death';
}

export type JobResult = { outcome: JobOutcome | 'batch' } | { failure: JobFailure };

/** To the child. Tasks come one at a time. */
export type ToChild = { type: 'run'; task: Task } | { type: 'end' };

/** From the child, of the task that it was given last. */
export type FromChild = { type: 'progress'; progress: JobProgress } | { type: 'result'; result: JobResult };
