/**
 * Every error orthant throws on purpose. A message says what was given, what was expected and what to do;
 * the class says whose move it is. The command line exits with 2 for an `InputError`, with 1 for anything else.
 */
export class OrthantError extends Error {
  override readonly name: string = 'OrthantError';
}

/** Where the fault is, for a form or a table that marks it. */
export interface InputPlace {
  /** The option that cannot stay as it is, by its name: 'maxIterations'. */
  option?: string;
  /** Its row in a matrix, counted from 0; alone it means all of that row. */
  row?: number;
  /** Its column, in the same way. */
  column?: number;
  /** Where an entry of a tensor stands: its index in every mode, counted from 0. */
  indices?: readonly number[];
}

/** Names and labels of the caller stand in messages: whatever their length, a terminal or a log gets no more than this. */
const longestMessage = 2000;

/**
 * The data or an option cannot be used as given: the caller has to change it. Where one option is to blame, `option` is its name; where
 * one entry, row or column of a matrix is, `row` and `column` say where it stands in the matrix or file that was given, counted from 0;
 * where one entry of a tensor is, `indices` do. The message says the same in words.
 */
export class InputError extends OrthantError implements InputPlace {
  override readonly name: string = 'InputError';
  declare readonly option?: string;
  declare readonly row?: number;
  declare readonly column?: number;
  declare readonly indices?: readonly number[];

  constructor(message: string, { option, row, column, indices, ...cause }: InputPlace & { cause?: unknown } = {}) {
    super(message.length > longestMessage ? `${message.slice(0, longestMessage - 1)}…` : message, cause);
    // What is not known is no property, so that printed errors stay short.
    for (const [name, value] of Object.entries({ option, row, column, indices }))
      if (value !== undefined) Object.assign(this, { [name]: value });
  }
}

/** Shapes that do not fit each other, or an operation that was given a tensor of the wrong shape. */
export class ShapeError extends InputError {
  override readonly name: string = 'ShapeError';
}

/** No usable WebGPU adapter, or one that was asked for is not there. */
export class AdapterError extends OrthantError {
  override readonly name: string = 'AdapterError';
}

/** The problem needs more than the device allows (buffer size, workgroup memory, …). */
export class LimitError extends OrthantError {
  override readonly name: string = 'LimitError';
}

/** A shader or pipeline was refused; the message carries its label and the compiler's lines. */
export class ShaderError extends OrthantError {
  override readonly name: string = 'ShaderError';
}

/** The device went away (driver reset, tab in the background, `destroy()` by its owner). */
export class DeviceLostError extends OrthantError {
  override readonly name: string = 'DeviceLostError';
}

/** Something was used after its `dispose()`. */
export class DisposedError extends OrthantError {
  override readonly name: string = 'DisposedError';
}

/** The caller's AbortSignal fired. */
export class CancelledError extends OrthantError {
  override readonly name: string = 'CancelledError';
}

/** The factorization broke down (NaN, or every factor zero) and no result can be given. */
export class BreakdownError extends OrthantError {
  override readonly name: string = 'BreakdownError';
}
