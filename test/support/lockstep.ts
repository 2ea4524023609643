/**
 * A workgroup of a kernel, invocation by invocation on the host, for kernels that wgsl_reflect parses but cannot follow. Every access of
 * memory is watched: two invocations that touch an entry between two barriers, one of them to write it, race.
 *
 * WGSL becomes JavaScript: functions are generators, a barrier is a `yield`. A u32 is a bigint, so that no operator mixes it with an f32,
 * which is a number, rounded after every operation. Only scalars, vec3u, structs and arrays of scalars are known.
 */
import {
  ArrayIndex,
  Assign,
  BinaryOperator,
  Break,
  Call,
  CallExpr,
  Const,
  ConstExpr,
  Continue,
  CreateExpr,
  For,
  Function as FunctionNode,
  If,
  Increment,
  Let,
  LiteralExpr,
  Return,
  StringExpr,
  Struct,
  UnaryOperator,
  Var,
  VariableExpr,
  WgslParser,
  While,
} from 'wgsl_reflect/wgsl_reflect.module.js';

type Scalar = bigint | number | boolean;

interface Barrier {
  /** The memory that it orders. */
  orders: 'workgroup' | 'storage';
  /** Its place in the text: all invocations have to meet at one. */
  line: number;
}

/** Memory that invocations share, each of which says who it is. */
class Memory {
  readonly races: string[] = [];
  #touched = new Map<number, { readers: Set<number>; writers: Set<number> }>();

  constructor(
    readonly name: string,
    readonly kind: 'workgroup' | 'storage',
    readonly entries: Scalar[] | Float32Array,
  ) {}

  load(who: number, index: bigint): Scalar {
    const at = this.#at(index);
    this.#touch(at).readers.add(who);
    return this.entries[at];
  }

  store(who: number, index: bigint, value: Scalar): void {
    const at = this.#at(index);
    this.#touch(at).writers.add(who);
    this.entries[at] = value as never;
  }

  /** What came before a barrier and what comes after it do not race. */
  order(): void {
    for (const [at, { readers, writers }] of this.#touched) {
      if (writers.size === 0 || new Set([...readers, ...writers]).size === 1) continue;
      this.races.push(`${this.name}[${at}]: written by ${[...writers].join()}, read by ${[...readers].join() || 'none'}`);
    }
    this.#touched.clear();
  }

  #at(index: bigint): number {
    const at = Number(index);
    if (at >= this.entries.length) throw new RangeError(`${this.name}[${at}] of ${this.entries.length} entries`);
    return at;
  }

  #touch(at: number) {
    let own = this.#touched.get(at);
    if (!own) {
      own = { readers: new Set(), writers: new Set() };
      this.#touched.set(at, own);
    }
    return own;
  }
}

const u32 = (x: bigint) => BigInt.asUintN(32, x);

const operators: Record<string, (a: never, b: never) => Scalar> = {
  '+': (a: bigint, b: bigint) => a + b,
  '-': (a: bigint, b: bigint) => a - b,
  '*': (a: bigint, b: bigint) => a * b,
  '/': (a: bigint, b: bigint) => a / b,
  '%': (a: bigint, b: bigint) => a % b,
  '<<': (a: bigint, b: bigint) => a << b,
  '>>': (a: bigint, b: bigint) => a >> b,
  '&': (a: bigint, b: bigint) => (typeof a === 'boolean' ? Boolean(Number(a) & Number(b)) : a & b),
  '|': (a: bigint, b: bigint) => (typeof a === 'boolean' ? Boolean(Number(a) | Number(b)) : a | b),
  '<': (a: bigint, b: bigint) => a < b,
  '>': (a: bigint, b: bigint) => a > b,
  '<=': (a: bigint, b: bigint) => a <= b,
  '>=': (a: bigint, b: bigint) => a >= b,
  '==': (a: bigint, b: bigint) => a === b,
  '!=': (a: bigint, b: bigint) => a !== b,
};

const rounded = (value: Scalar): Scalar =>
  typeof value === 'bigint' ? u32(value) : typeof value === 'number' ? Math.fround(value) : value;

const builtins: Record<string, (...args: never[]) => Scalar> = {
  select: (no: Scalar, yes: Scalar, condition: boolean) => (condition ? yes : no),
  min: (a: number, b: number) => (a < b ? a : b),
  max: (a: number, b: number) => (a > b ? a : b),
  abs: (a: number) => Math.abs(a),
  fma: (a: number, b: number, c: number) => a * b + c,
  sqrt: (a: number) => Math.sqrt(a),
  inverseSqrt: (a: number) => 1 / Math.sqrt(a),
  mix: (a: number, b: number, t: number) => a * (1 - t) + b * t,
  log: (a: number) => Math.log(a),
};

const runtime = {
  op: (operator: string, a: Scalar, b: Scalar) => {
    if (typeof a !== typeof b && !['<<', '>>'].includes(operator)) throw new TypeError(`${typeof a} ${operator} ${typeof b}`);
    return rounded(operators[operator](a as never, b as never));
  },
  call: (name: string, args: Scalar[]) => rounded(builtins[name](...(args as never[]))),
  rounded,
};

/** The module as a function from memory to the entry point of an invocation. */
function compiled(code: string) {
  const nodes = new WgslParser().parse(code);
  const structs = new Map(nodes.filter((node) => node instanceof Struct).map((node) => [node.name, node.members.map(({ name }) => name)]));
  const functions = new Set(nodes.filter((node) => node instanceof FunctionNode).map(({ name }) => name));
  const memories = nodes.filter((node) => node instanceof Var && (node.storage === 'workgroup' || node.storage === 'storage')) as Var[];
  const shared = new Set(memories.map(({ name }) => name));

  const zero = (type: string) => ({ u32: '0n', f32: '0', bool: 'false' })[type];
  const known = (node: object): never => {
    throw new Error(`lockstep.ts does not know ${node.constructor.name} ${JSON.stringify(node).slice(0, 200)}.`);
  };
  // biome-ignore lint/suspicious/noExplicitAny: nodes of wgsl_reflect have no common type of their fields.
  type Node = any;

  function expression(node: Node): string {
    if (node instanceof LiteralExpr) {
      const value = (node.value as Node).data[0];
      return { u32: `${value}n`, f32: `Math.fround(${value})`, bool: String(Boolean(value)) }[node.type.name as string] ?? known(node);
    }
    if (node instanceof VariableExpr || node instanceof ConstExpr) {
      const index = node.postfix;
      if (shared.has(node.name) && index instanceof ArrayIndex) return `${node.name}.load(who, ${expression(index.index)})`;
      return node.name + postfixes(index);
    }
    if (node instanceof BinaryOperator) {
      const [a, b] = [expression(node.left), expression(node.right)];
      return ['&&', '||'].includes(node.operator) ? `(${a} ${node.operator} ${b})` : `op('${node.operator}', ${a}, ${b})`;
    }
    if (node instanceof UnaryOperator) return `(${node.operator}${expression(node.right)})`;
    if (node instanceof CreateExpr) {
      const names = structs.get((node.type as Node).name);
      const args = (node.args as Node[]).map(expression);
      if (names) return `({ ${names.map((name, i) => `${name}: ${args[i]}`).join(', ')} })`;
      if ((node.type as Node).name === 'f32') return `Math.fround(Number(${args[0]}))`;
      return known(node);
    }
    if (node instanceof CallExpr) {
      const args = node.args as Node[];
      if (node.name === 'workgroupUniformLoad') return `(yield* uniformLoad(who, ${args[0].right?.name ?? args[0].name}, ${node.line}))`;
      const given = args.map(expression);
      if (functions.has(node.name)) return `(yield* ${node.name}(${given.join(', ')}))${postfixes(node.postfix)}`;
      if (!(node.name in builtins)) return known(node);
      return `call('${node.name}', [${given.join(', ')}])`;
    }
    return known(node);
  }

  function postfixes(node: Node): string {
    if (!node) return '';
    if (node instanceof StringExpr) return `.${node.value}${postfixes(node.postfix)}`;
    if (node instanceof ArrayIndex) return `[Number(${expression(node.index)})]${postfixes(node.postfix)}`;
    return known(node);
  }

  function assign(variable: Node, value: string): string {
    const { name, postfix } = variable;
    if (shared.has(name)) return `${name}.store(who, ${expression(postfix.index)}, ${value});`;
    return `${name}${postfixes(postfix)} = ${value};`;
  }

  const block = (nodes: Node[]) => `{ ${nodes.map(statement).join('\n')} }`;

  function statement(node: Node): string {
    if (Array.isArray(node)) return block(node);
    if (node instanceof Let || node instanceof Const) return `const ${node.name} = ${expression(node.value)};`;
    if (node instanceof Var) return `let ${node.name} = ${node.value ? expression(node.value) : zero((node.type as Node).name)};`;
    if (node instanceof Assign) {
      const value = expression(node.value);
      const operator = String(node.operator).slice(0, -1);
      return assign(node.variable, operator ? `op('${operator}', ${expression(node.variable)}, ${value})` : value);
    }
    if (node instanceof Increment) {
      return assign(node.variable, `op('${node.operator[0]}', ${expression(node.variable)}, 1n)`);
    }
    if (node instanceof For) {
      const [init, condition, next] = [node.init, node.condition, node.increment].map((part, i) =>
        !part ? '' : i === 1 ? expression(part) : statement(part).replace(/;$/, ''),
      );
      return `for (${init}; ${condition}; ${next}) ${block(node.body)}`;
    }
    if (node instanceof While) return `while (${expression(node.condition)}) ${block(node.body)}`;
    if (node instanceof If) {
      const others = ((node.elseif ?? []) as Node[]).map((one) => ` else if (${expression(one.condition)}) ${block(one.body)}`);
      return `if (${expression(node.condition)}) ${block(node.body)}${others.join('')}${node.else ? ` else ${block(node.else)}` : ''}`;
    }
    // The parser gives a return without a value one that creates nothing.
    if (node instanceof Return) return `return ${node.value instanceof CreateExpr && !node.value.type ? '' : expression(node.value)};`;
    if (node instanceof Break) return 'break;';
    if (node instanceof Continue) return 'continue;';
    if (node instanceof Call) {
      const orders = { workgroupBarrier: 'workgroup', storageBarrier: 'storage' }[node.name];
      if (orders) return `yield { orders: '${orders}', line: ${node.line} };`;
      return `yield* ${node.name}(${(node.args as Node[]).map(expression).join(', ')});`;
    }
    // A block of its own.
    return Array.isArray((node as Node).body) ? block((node as Node).body) : known(node);
  }

  const text = nodes.map((node: Node) => {
    if (node instanceof FunctionNode) return `function* ${node.name}(${node.args.map(({ name }) => name).join(', ')}) ${block(node.body)}`;
    if (node instanceof Const) return `const ${node.name} = ${expression(node.value)};`;
    if (node instanceof Var && node.storage === 'private') {
      const length = (node.type as Node).count;
      return `let ${node.name} = ${length ? `Array(${length}).fill(${zero((node.type as Node).format.name)})` : zero((node.type as Node).name)};`;
    }
    return '';
  });
  const main = nodes.find((node): node is FunctionNode => node instanceof FunctionNode && node.name === 'main')!;
  const inputs = main.args.map(({ attributes }) => String(attributes![0].value));
  const head = `const { op, call, rounded } = runtime; const { ${[...shared].join(', ')} } = memory;`;
  const load = `function* uniformLoad(who, array, line) {
    yield { orders: 'workgroup', line };
    const all = array.entries.map((_, i) => array.load(who, BigInt(i)));
    yield { orders: 'workgroup', line };
    return all;
  }`;
  const create = new Function('runtime', 'memory', 'sizes', 'who', `${head}\n${load}\n${text.join('\n')}\nreturn main;`);
  return { create, inputs, memories };
}

/**
 * Runs every workgroup of a kernel. `buffers` are its bindings in their order, which it changes; `sizes` the numbers of its uniform. Returns
 * the races.
 *
 * @throws Error where invocations of a workgroup do not meet at a barrier; RangeError for an entry that lies outside of memory.
 */
export function lockstep(
  code: string,
  sizes: Record<string, number | boolean>,
  buffers: readonly Float32Array[],
  [across, down, deep]: readonly number[],
): string[] {
  const { create, inputs, memories } = compiled(code);
  const numbers = Object.fromEntries(
    Object.entries(sizes).map(([name, value]) => [name, typeof value === 'number' ? BigInt(value) : value]),
  );
  const invocations = Number(sizes.WORKGROUP);
  const races: string[] = [];
  for (let z = 0; z < deep; z++) for (let y = 0; y < down; y++) for (let x = 0; x < across; x++) group([x, y, z]);
  return races;

  function group([x, y, z]: number[]): void {
    let bound = 0;
    const memory = memories.map((node) => {
      if (node.storage === 'storage') return new Memory(node.name, 'storage', buffers[bound++]);
      // biome-ignore lint/suspicious/noExplicitAny: as above.
      const { count, format } = node.type as any;
      return new Memory(node.name, 'workgroup', Array(Number(count)).fill(format.name === 'u32' ? 0n : 0));
    });
    const named = Object.fromEntries(memory.map((one) => [one.name, one]));
    const all = Array.from({ length: invocations }, (_, who): Generator<Barrier, void> => {
      const given: Record<string, unknown> = {
        workgroup_id: { x: BigInt(x), y: BigInt(y), z: BigInt(z) },
        local_invocation_index: BigInt(who),
        local_invocation_id: { x: BigInt(who), y: 0n, z: 0n },
      };
      return create(runtime, named, numbers, who)(...inputs.map((input) => given[input]));
    });
    for (;;) {
      const met = all.map((one) => one.next());
      const [{ value: first }] = met;
      const apart = met.findIndex(({ value }) => value?.line !== first?.line || value?.orders !== first?.orders);
      if (apart >= 0) throw new Error(`Invocations 0 and ${apart} do not meet: lines ${first?.line} and ${met[apart].value?.line}.`);
      for (const one of memory) if (!first || one.kind === first.orders) one.order();
      if (!first) break;
    }
    races.push(...memory.flatMap((one) => one.races));
  }
}
