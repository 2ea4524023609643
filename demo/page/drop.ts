/** The place where files come in: dropped, with their folders, chosen, or pasted. What is wrong with a file is said here. */
import { el } from './dom.js';
import { sentenceOf } from './notices.js';

/** A file, and its path below the folder that was dropped or chosen. */
export interface Given {
  path: string;
  file: File;
}

export interface DropZoneOptions {
  /** What may be dropped, as a sentence. */
  invitation: string;
  /** Ends of names for the file dialog, such as ['.csv', '.npy']. */
  accept?: readonly string[];
  /** Whether a folder may be chosen, too. */
  folders?: boolean;
  /** Takes the files. What it throws is shown here. */
  onFiles: (files: readonly Given[]) => Promise<void> | void;
}

export interface DropZone {
  element: HTMLElement;
  /** A sentence beside the place, such as a refusal; an empty one takes it back. */
  complain(text: string): void;
}

export function dropZone({ invitation, accept, folders, onFiles }: DropZoneOptions): DropZone {
  const complaint = el('p', { class: 'complaint', role: 'alert', hidden: true });
  const chooser = (folder: boolean) => {
    const input = el('input', {
      type: 'file',
      hidden: true,
      multiple: true,
      webkitdirectory: folder,
      accept: folder ? undefined : accept?.join(','),
      onchange: () => {
        void take(() => Promise.resolve([...(input.files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }))));
        input.value = '';
      },
    });
    return input;
  };
  const [files, folder] = [chooser(false), chooser(true)];
  const element = el(
    'div',
    { class: 'drop' },
    el('p', {}, invitation),
    el(
      'div',
      { class: 'buttons' },
      el('button', { type: 'button', onclick: () => files.click() }, 'Choose files'),
      ...(folders ? [el('button', { type: 'button', onclick: () => folder.click() }, 'Choose a folder')] : []),
    ),
    files,
    folder,
    complaint,
  );

  function complain(text: string): void {
    complaint.textContent = text;
    complaint.hidden = text === '';
    if (text !== '') element.closest('details')?.setAttribute('open', '');
  }

  async function take(find: () => Promise<Given[]>): Promise<void> {
    complain('');
    element.classList.add('reading');
    try {
      const given = await find();
      if (given.length > 0) await onFiles(given);
    } catch (error) {
      complain(sentenceOf(error));
    } finally {
      element.classList.remove('reading');
    }
  }

  element.addEventListener('dragover', (event) => {
    event.preventDefault();
    element.classList.add('over');
  });
  element.addEventListener('dragleave', () => element.classList.remove('over'));
  element.addEventListener('drop', (event) => {
    element.classList.remove('over');
    takeDropped(event);
  });
  // Beside the place the browser would open the file instead of the page.
  window.addEventListener('drop', (event) => {
    if (element.isConnected && !event.defaultPrevented) takeDropped(event);
  });

  function takeDropped(event: DragEvent): void {
    event.preventDefault();
    // The entries are gone after this event, so they are taken before anything is awaited.
    const entries = [...(event.dataTransfer?.items ?? [])].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
    void take(async () => (await Promise.all(entries.map((entry) => filesIn(entry)))).flat());
  }
  return { element, complain };
}

/** All files of an entry, those of folders with their path. Hidden ones are left out. */
async function filesIn(entry: FileSystemEntry): Promise<Given[]> {
  if (entry.name.startsWith('.')) return [];
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ path: entry.fullPath.replace(/^\//, ''), file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Given[] = [];
  for (;;) {
    // A reader gives some hundred entries at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found;
    for (const one of some) found.push(...(await filesIn(one)));
  }
}
