/** orthant in a browser (main thread or worker), or wherever a GPUDevice is at hand. In Node import from 'orthant/node'. */

export { type ColumnStream, type Columns, columnsFrom, columnsOfMatrix } from './data/columns.js';
export { hierarchicalTensor, randomLowRank, tableOne } from './data/generate.js';
export { kruskal, kruskalError } from './data/kruskal.js';
export type { Accuracy, Classifier, Labels } from './data/labels.js';
export { type Matrix, matrix, transpose } from './data/matrix.js';
export {
  type DataMatrix,
  isSparse,
  type SparseMatrix,
  sparseFromDense,
  sparseFromEntries,
  sparseMatrix,
  sparseTranspose,
  toDense,
} from './data/sparse.js';
export { svdBounds } from './data/svd-bound.js';
export {
  type DataTensor,
  type DenseTensor,
  isSparseTensor,
  type SparseTensor,
  sparseTensor,
  tensor,
  toDenseTensor,
} from './data/tensors.js';
export { modeBound, tuckerError } from './data/tucker.js';
export type {
  AbortSignalLike,
  Choices,
  Engine,
  Problem,
  ProductChoice,
  Profile,
  Run,
  SolveChoice,
  SolveKernel,
  SparseChoice,
  SweepChoice,
  SweptChoice,
  TunedKind,
  TuneOptions,
  TuneProgress,
  Tuning,
  TuningEntry,
} from './engine.js';
export * from './errors.js';
export { printProgram } from './graph/print.js';
export type { Program } from './graph/program.js';
export type { ColumnSource } from './methods/batches.js';
export type { FitData } from './methods/by-columns.js';
export type { Checkpoint } from './methods/checkpoint.js';
export { type DeepFactorization, type DeepOptions, deepNmf, transformDeep } from './methods/deep.js';
export { type DeepSemiFactorization, type DeepSemiOptions, deepSemiNmf, transformDeepSemi } from './methods/deep-semi.js';
export type { TransformOptions } from './methods/definition.js';
export type { FitOptions, Layer, Progress, Supervision } from './methods/factorization.js';
export type { Guide } from './methods/guide.js';
export {
  type HierarchicalFactorization,
  type HierarchicalOptions,
  hierarchicalNmf,
  transformHierarchical,
} from './methods/hierarchical.js';
export { type Hncpd, type HncpdLevel, type HncpdOptions, hncpd } from './methods/hncpd.js';
export { type HntfLevel, type HntfOptions, hntf } from './methods/hntf.js';
export type { StopMeasures, StopReason } from './methods/loop.js';
export { factorize, type MethodInfo, methodList, type OptionInfo } from './methods/method-list.js';
export type { Factorization, Method } from './methods/methods.js';
export { type NcpOptions, ncp } from './methods/ncp.js';
export { type NeuralFactorization, type NeuralOptions, neuralNmf, transformNeural } from './methods/neural.js';
export { type NeuralNcpOptions, neuralNcp } from './methods/neural-ncp.js';
export { type NmfFactorization, type NmfOptions, nmf } from './methods/nmf.js';
export {
  type BlockFit,
  createOnline,
  type Online,
  type OnlineNmfOptions,
  type OnlineProgress,
  onlineNmf,
} from './methods/online.js';
export type { OnlineOptions, OnlineState } from './methods/online-state.js';
export { type ProgramOptions, programFor } from './methods/program-for.js';
export { type NnlsResult, nnls, nnlsVjp } from './methods/q.js';
export {
  type Agreement,
  agreement,
  explainedVariance,
  heldOutError,
  type Matched,
  matchedCosine,
  type Scored,
  sparsity,
} from './methods/scores.js';
export { type SparseCodingFactorization, type SparseCodingOptions, sparseCoding, transformSparseCoding } from './methods/sparse-coding.js';
export { type SsnmfFactorization, type SsnmfOptions, ssnmf, transformSsnmf } from './methods/ssnmf.js';
export type { StartFactors } from './methods/start.js';
export {
  levelFactors,
  type NcpFactorization,
  type NeuralNcpFactorization,
  type TensorLevel,
  type TensorModel,
} from './methods/tensor-levels.js';
export { type TensorProgramOptions, tensorProgramFor } from './methods/tensor-program-for.js';
export { type TensorSlices, transformTensor } from './methods/transform-tensor.js';
export {
  reconstructUnfolded,
  transformUnfolded,
  type UnfoldedFactorization,
  type UnfoldedOptions,
  unfoldedNmf,
} from './methods/unfolded.js';
export { type ApplyOptions, type Prediction, predict, transform } from './models/apply.js';
export {
  type Arrangement,
  arranged,
  type Component,
  componentsOf,
  type DiagonalForm,
  diagonalForm,
} from './models/arranged.js';
export { type ModelReader, modelFiles, modelFromFiles, type SavedModel } from './models/files.js';
export { inverseTransform } from './models/inverse.js';
export { type SavedTensorModel, tensorModelFiles, tensorModelFromFiles } from './models/tensor-model.js';
export { type ColumnData, type ColumnOptions, scanColumns } from './parallel/column-data.js';
export type { Communicator } from './parallel/communicator.js';
export { chooseRank, chooseRanks, type LayerChoice, type LayerRanksOptions } from './ranks/choose.js';
export { type Consensus, consensus } from './ranks/consensus.js';
export { type ConsensusFactors, type ConsensusOptions, consensusFactors } from './ranks/consensus-factors.js';
export { type Stability, stability } from './ranks/stability.js';
export type { HeldOut, RankOptions, RankProgress, RankResult, RankSurvey, SurveySettings } from './ranks/survey.js';
export { createReferenceEngine } from './reference/engine.js';
export type { TextModel } from './text/text-model.js';
export type { AdapterLike, DeviceLike } from './webgpu/device/borrowed.js';
export { createWebGpuEngine as createEngine, type EngineOptions, type StoredTuning } from './webgpu/engine.js';
export type { AdapterFacts } from './webgpu/plan/planner.js';
export { profiles } from './webgpu/plan/profiles.js';
export { type Cost, type CostOptions, costOf, costText, type SectionCost } from './webgpu/plan-cost.js';
export { dispatchCounts, planText } from './webgpu/plan-text.js';
