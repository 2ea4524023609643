/** A question before something is lost. */
import { el } from '../../page/dom.js';

/** Whether the person goes on; without an answer that does, the dialog only tells. */
export function ask(question: string, yes: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = false;
    const dialog = el(
      'dialog',
      {
        'aria-label': question,
        onclose: () => {
          dialog.remove();
          resolve(answer);
        },
      },
      el('p', {}, question),
      el(
        'div',
        { class: 'buttons' },
        ...yes.map((text) =>
          el(
            'button',
            {
              type: 'button',
              onclick: () => {
                answer = true;
                dialog.close();
              },
            },
            text,
          ),
        ),
        el('button', { type: 'button', class: 'primary', onclick: () => dialog.close() }, yes.length > 0 ? 'Keep the tree' : 'Close'),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}
