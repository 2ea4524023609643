/** Elements, made without a line of markup, so that no text can be taken for it. */

type Value = string | number | boolean | undefined | ((event: Event) => void);

/**
 * An element. A function is a listener of the event behind `on`, a boolean an attribute that is there or not, undefined none; every other value
 * is an attribute.
 */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Value>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value);
    else if (typeof value === 'boolean') made.toggleAttribute(name, value);
    else if (value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

/** The element of the page with this id. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return found;
}

/** A number of the page that is unique, for labels that name their field. */
let last = 0;
export const newId = (noun: string) => `${noun}-${++last}`;

/** Calls `draw` once before the next frame, however often it is asked for until then. */
export function onNextFrame(draw: () => void): () => void {
  let queued = false;
  return () => {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => {
      queued = false;
      draw();
    });
  };
}

/** A part of a room that can be folded: open where there is room for it, folded on a narrow screen. */
export function fold(title: string, ...children: readonly (Node | string)[]): HTMLDetailsElement {
  return el('details', { class: 'fold', open: innerWidth > 760 }, el('summary', {}, el('h2', {}, title)), ...children);
}
