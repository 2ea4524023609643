/** orthant in a browser (main thread or worker), or wherever a GPUDevice is at hand. In Node import from 'orthant/node'. */

export { randomLowRank, tableOne } from './data/generate.js';
export { type Matrix, matrix, transpose } from './data/matrix.js';
export { svdBounds } from './data/svd-bound.js';
export type { Engine, Run } from './engine.js';
export * from './errors.js';
export { printProgram } from './graph/print.js';
export type { Program } from './graph/program.js';
export type { Factorization, FitOptions, Layer, Progress, StopReason } from './models/fit.js';
export { type HierarchicalOptions, hierarchicalNmf } from './models/hierarchical.js';
export { type NeuralOptions, neuralNmf } from './models/neural.js';
export { type NmfOptions, nmf } from './models/nmf.js';
export { type NnlsResult, nnls, nnlsVjp } from './models/q.js';
export { createReferenceEngine } from './reference/engine.js';
export { createWebGpuEngine as createEngine, type EngineOptions } from './webgpu/engine.js';
