/** The tree of parts as an icicle that can be walked by pointer and by keyboard. */
import { type HierarchyRectangularNode, hierarchy, partition } from 'd3-hierarchy';
import { percent } from '../numbers.js';
import type { ReportData, ReportTopic } from '../types.js';
import { byId, element, setProperties } from './dom.js';

type Inner = { children: ReportTopic[] };
type Node = HierarchyRectangularNode<ReportTopic | Inner>;

const isTopic = (datum: ReportTopic | Inner): datum is ReportTopic => 'index' in datum;

/** In a narrow window layers stand side by side and parts below each other. */
const sideways = matchMedia('(max-width: 640px)');

/** Draws the tree and calls `onSelect` for the part that is chosen, at first the largest. */
export function drawTree(data: ReportData, onSelect: (topic: ReportTopic) => void): void {
  const box = byId('tree');
  const path = byId('path');
  if (!box || !path) return;
  const last = Math.max(...data.topics.map(({ layer }) => layer));
  const tops = data.topics.filter(({ layer }) => layer === last);
  const root = layOut(tops);
  const nodes = root.descendants().slice(1);
  const items = new Map<Node, HTMLElement>();
  let open = root;
  let selected = nodes[0];

  const select = (node: Node, focus = true) => {
    items.get(selected)?.setAttribute('tabindex', '-1');
    items.get(selected)?.setAttribute('aria-selected', 'false');
    selected = node;
    const item = items.get(node)!;
    item.setAttribute('tabindex', '0');
    item.setAttribute('aria-selected', 'true');
    if (focus) item.focus();
    onSelect(node.data as ReportTopic);
    drawPath();
  };
  /** Gives a part the whole width; the ones above it keep it, too. */
  const widen = (node: Node) => {
    open = node;
    const [from, span] = [node.x0, node.x1 - node.x0];
    for (const [one, item] of items) {
      const [a, b] = [Math.max((one.x0 - from) / span, 0), Math.min((one.x1 - from) / span, 1)];
      item.hidden = !(b - a > 1e-9);
      setProperties(item, { from: a, size: Math.max(b - a, 0) });
    }
    drawPath();
  };
  const drawPath = () => {
    const step = (node: Node, text: string) => {
      const button = element('button', '', text);
      button.type = 'button';
      button.disabled = node === open;
      button.addEventListener('click', () => {
        widen(node);
        if (node !== root) select(node);
      });
      return button;
    };
    const steps = open
      .ancestors()
      .reverse()
      .map((node) => step(node, isTopic(node.data) ? node.data.title : `all ${data.nouns.part}s`));
    path.replaceChildren(...steps.flatMap((button, i) => (i === 0 ? [button] : [' › ', button])));
  };

  for (const node of nodes) {
    const topic = node.data as ReportTopic;
    const item = element('div', `hue-${node.ancestors().at(-2)!.parent!.children!.indexOf(node.ancestors().at(-2)!) % 10}`);
    item.append(element('span', 'share', percent(topic.share)), ' ', element('span', 'name', topic.title));
    item.setAttribute('role', 'treeitem');
    item.setAttribute('tabindex', '-1');
    item.setAttribute('aria-selected', 'false');
    item.setAttribute('aria-level', String(node.depth));
    item.setAttribute('aria-posinset', String(node.parent!.children!.indexOf(node) + 1));
    item.setAttribute('aria-setsize', String(node.parent!.children!.length));
    if (node.children) item.setAttribute('aria-expanded', 'true');
    item.title = `${topic.title}\n${percent(topic.share)} of layer ${topic.layer}${topic.weight === null ? '' : `, ${percent(topic.weight)} of the ${data.nouns.part} above`}`;
    setProperties(item, { level: node.depth - 1 });
    item.addEventListener('click', () => (node === selected ? widen(node === open ? (node.parent ?? root) : node) : select(node)));
    items.set(node, item);
  }
  box.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = walk(event.key, selected, (node) => !items.get(node)!.hidden);
    if (to) select(to);
    else if (event.key === 'Enter' || event.key === ' ') widen(selected);
    else if (event.key === 'Escape' || event.key === 'Backspace') widen(open.parent ?? root);
    else return;
    event.preventDefault();
  });
  setProperties(box, { levels: root.height });
  box.replaceChildren(...items.values());
  widen(root);
  if (selected) select(selected, false);
  drawLoose(
    box,
    data.topics.filter(({ layer }) => layer < last),
    data.nouns.part,
    onSelect,
  );
}

/** Every part is as wide as its share of what stands above it. */
function layOut(tops: ReportTopic[]): Node {
  const root = hierarchy<ReportTopic | Inner>({ children: tops });
  root.each((node) => {
    const { data, parent } = node;
    const value = isTopic(data) ? (parent!.value ?? 0) * (data.weight ?? data.share) : 1;
    Object.assign(node, { value });
  });
  return partition<ReportTopic | Inner>()(root);
}

/** The part that a key leads to. */
function walk(key: string, from: Node, visible: (node: Node) => boolean): Node | undefined {
  const root = from.ancestors().at(-1)!;
  const layer = root.descendants().filter((node) => node.depth === from.depth && visible(node));
  layer.sort((a, b) => a.x0 - b.x0);
  const at = layer.indexOf(from);
  const [deeper, higher, before, after] = sideways.matches
    ? ['ArrowRight', 'ArrowLeft', 'ArrowUp', 'ArrowDown']
    : ['ArrowDown', 'ArrowUp', 'ArrowLeft', 'ArrowRight'];
  switch (key) {
    case deeper:
      return from.children?.find(visible);
    case higher:
      return from.parent?.parent ? from.parent : undefined;
    case before:
      return layer[at - 1];
    case after:
      return layer[at + 1];
    case 'Home':
      return layer[0];
    case 'End':
      return layer[layer.length - 1];
    default:
      return undefined;
  }
}

/** Buttons for parts that give nothing to any part of the last layer. */
function drawLoose(box: HTMLElement, loose: readonly ReportTopic[], part: string, onSelect: (topic: ReportTopic) => void): void {
  if (loose.length === 0) return;
  const buttons = loose.map((topic) => {
    const button = element('button', '', `${topic.title} (layer ${topic.layer}, ${percent(topic.share)})`);
    button.type = 'button';
    button.addEventListener('click', () => onSelect(topic));
    return button;
  });
  box.after(element('div', 'buttons', element('span', 'hint', `In no ${part} of the last layer:`), ...buttons));
}
