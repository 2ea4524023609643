/** Small products and sums that one dispatch does together: where a dispatch takes longer than its work, fewer are faster. */
import type { Operation } from '../../graph/operations.js';
import type { Tensor } from '../../graph/tensor.js';
import type { ProductSums, Step, Sum, Term } from './step.js';

/** How much one dispatch can do, by the bindings and the constants of matmul/sums. */
const most = { tensors: 8, sums: 4, terms: 8 };

/** Products in one sum: more would keep one invocation long while others have ended. */
const mostProducts = 2;

/** A step at its place, or sums that are done together there, each with the step that it stands for if that is all it does. */
interface Place {
  step?: Step;
  members: { sum: Sum; instead?: Step }[];
}

/**
 * The steps with small products and sums joined. A sum that only another one reads becomes terms of that one, so Sβᵀ + βSᵀ, say, is one
 * sum. Every sum is then done at the earliest place where others are done that it does not depend on. `small` says of an operation whether
 * it is worth joining.
 */
export function joinSums(steps: readonly Step[], small: (operation: Operation) => boolean): Step[] {
  const reads = new Map<Tensor, number>();
  const writes = new Map<Tensor, number>();
  for (const { inputs, outputs } of steps) {
    for (const tensor of new Set(inputs)) reads.set(tensor, (reads.get(tensor) ?? 0) + 1);
    for (const tensor of outputs) writes.set(tensor, (writes.get(tensor) ?? 0) + 1);
  }
  const onlyRead = (tensor: Tensor) => tensor.role === 'transient' && reads.get(tensor) === 1 && writes.get(tensor) === 1;
  const places: Place[] = [];
  for (const step of steps) {
    const own = sumOf(step, small);
    if (!own) {
      places.push({ step, members: [] });
      continue;
    }
    const sum = withTermsOf(places, own, onlyRead);
    const member = { sum, instead: sum === own ? step : undefined };
    const free = places.findLastIndex((place) => dependent(place, sum)) + 1;
    const room = places.slice(free).find(({ members }) => members.length > 0 && fits([...members.map((other) => other.sum), sum]));
    if (room) room.members.push(member);
    else places.push({ members: [member] });
  }
  return places.flatMap(({ step, members }) => {
    if (step) return [step];
    if (members.length === 0) return [];
    return [(members.length === 1 && members[0].instead) || together(members.map(({ sum }) => sum))];
  });
}

/** A step as a sum of terms, if it is small and does nothing else. */
function sumOf(step: Step, small: (operation: Operation) => boolean): Sum | undefined {
  if (step.kind !== 'matmul' && step.kind !== 'gram' && step.kind !== 'combine') return undefined;
  const [A, B, E] = step.inputs;
  const [out] = step.outputs;
  if (step.inputs.includes(out) || !small(step)) return undefined;
  switch (step.kind) {
    case 'gram': {
      const ofColumns = step.attributes.of === 'columns';
      return { out, terms: [{ A, B: A, transposeA: ofColumns, transposeB: !ofColumns, scale: 1 }] };
    }
    case 'combine': {
      const { scale, otherScale } = step.attributes;
      return { out, terms: [{ A, scale }, ...(otherScale === 0 ? [] : [{ A: B, scale: otherScale }])] };
    }
    default: {
      const { epilogue, addScale, ...product } = step.attributes;
      if (epilogue === 'hadamard') return undefined;
      return { out, terms: [{ A, B, ...product }, ...(epilogue === 'add' ? [{ A: E, scale: addScale }] : [])] };
    }
  }
}

/** The sum with the terms of those it adds that nobody else reads; these are taken from their places. */
function withTermsOf(places: readonly Place[], sum: Sum, onlyRead: (tensor: Tensor) => boolean): Sum {
  let whole = sum;
  for (const term of sum.terms) {
    const uses = sum.terms.filter(({ A, B }) => A === term.A || B === term.A).length;
    if (term.B || uses > 1 || !onlyRead(term.A) || term.A.batch !== sum.out.batch) continue;
    const at = places.findIndex(({ members }) => members.some((member) => member.sum.out === term.A));
    const member = places[at]?.members.find((other) => other.sum.out === term.A);
    if (!member) continue;
    const steady = places.slice(at + 1).every((place) => !outputsOf(place).some((out) => tensorsOf(member.sum.terms).has(out)));
    const scaled = member.sum.terms.map((inner) => ({ ...inner, scale: inner.scale * term.scale }));
    const joined = { out: sum.out, terms: whole.terms.flatMap((other) => (other === term ? scaled : [other])) };
    const products = joined.terms.filter(({ B }) => B).length;
    if (!steady || products > mostProducts || joined.terms.some(({ A, B }) => A === sum.out || B === sum.out) || !fits([joined])) continue;
    whole = joined;
    places[at].members.splice(places[at].members.indexOf(member), 1);
  }
  return whole;
}

function tensorsOf(terms: readonly Term[]): Set<Tensor> {
  return new Set(terms.flatMap(({ A, B }) => (B ? [A, B] : [A])));
}

function outputsOf({ step, members }: Place): readonly Tensor[] {
  return step?.outputs ?? members.map(({ sum }) => sum.out);
}

/** Whether a sum must come after the steps at a place: it reads what they write, or writes what they read or write. */
function dependent(place: Place, { out, terms }: Sum): boolean {
  const inputs = place.step?.inputs ?? place.members.flatMap(({ sum }) => [...tensorsOf(sum.terms)]);
  const outputs = outputsOf(place);
  const read = tensorsOf(terms);
  return outputs.some((tensor) => tensor === out || read.has(tensor)) || inputs.includes(out);
}

function fits(sums: readonly Sum[]): boolean {
  const terms = sums.flatMap((sum) => sum.terms);
  const tensors = new Set([...tensorsOf(terms), ...sums.map(({ out }) => out)]);
  const alike = sums.every(({ out }) => out.batch === sums[0].out.batch);
  return alike && sums.length <= most.sums && terms.length <= most.terms && tensors.size <= most.tensors;
}

function together(sums: readonly Sum[]): ProductSums {
  const inputs = [...tensorsOf(sums.flatMap(({ terms }) => terms))];
  return { kind: 'productSums', inputs, outputs: sums.map(({ out }) => out), attributes: { sums } };
}
