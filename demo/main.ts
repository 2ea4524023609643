/** The page around the rooms: which one is open, the device, and what must not be lost. Rooms are loaded when they are entered. */
import { byId, el } from './page/dom.js';
import { say, sentenceOf, takeBack } from './page/notices.js';
import { forgetDevice, openDevice } from './page/session.js';
import { place } from './page/url.js';
import { withoutWebGpu } from './page/without-webgpu.js';

/** A room of the page. It is made once, and keeps its state while others are shown. */
export interface Room {
  title: string;
  element: HTMLElement;
  /** Called whenever the room is shown, with the options in the address. */
  enter(options: URLSearchParams): void;
  /** Whether closing the page would lose what neither the address nor a file brings back: a fit of the person's own data, names, changes by hand. */
  atRisk?(): boolean;
}

const rooms: Record<string, () => Promise<{ room: () => Room }>> = {
  topics: () => import('./rooms/topics/room.js'),
  matrix: () => import('./rooms/matrix/room.js'),
  paper: () => import('./rooms/paper/room.js'),
};
/** The room of a visitor who names none: an example that learns at once. */
const arrival = 'paper';

const nameOf = (room: string) => (room in rooms ? room : arrival);

const made = new Map<string, Room>();

async function show(): Promise<void> {
  const asked = place();
  const name = nameOf(asked.room);
  for (const link of document.querySelectorAll('nav a')) {
    if (link.getAttribute('href') === `#/${name}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  let room = made.get(name);
  if (!room) {
    try {
      room = (await rooms[name]()).room();
    } catch (error) {
      say('room', `This room could not be loaded: ${sentenceOf(error)}. Reload the page.`);
      return;
    }
    made.set(name, room);
  }
  if (nameOf(place().room) !== name) return; // the person has gone on meanwhile
  const main = byId('room');
  const first = main.childElementCount === 0;
  if (!main.contains(room.element)) main.replaceChildren(room.element);
  document.title = `${room.title} · orthant`;
  if (!first) main.focus({ preventScroll: true });
  room.enter(asked.options);
}

async function open(kind: 'webgpu' | 'reference' = 'webgpu'): Promise<void> {
  const line = byId('device');
  try {
    const { description, software } = await openDevice(kind);
    line.textContent = description;
    line.title = software ? 'It computes on the CPU, so its speed is not that of a GPU.' : '';
    document.body.dataset.device = kind;
    takeBack('device');
  } catch (error) {
    document.body.dataset.device = 'none';
    line.textContent = 'No GPU';
    const again = () => {
      forgetDevice();
      void open();
    };
    say(
      'device',
      withoutWebGpu(sentenceOf(error)),
      el('button', { type: 'button', onclick: () => void open('reference') }, 'Compute on the CPU'),
      el('button', { type: 'button', onclick: again }, 'Try again'),
    );
  }
}

/** The built page is kept by its service worker. While it is developed there is none. */
async function keepOffline(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register('./service-worker.js');
    await navigator.serviceWorker.ready;
    const line = byId('offline');
    line.textContent = 'It opens without a network, too.';
    line.hidden = false;
  } catch {
    // A browser that keeps nothing, as in private windows, needs the network: nothing else changes.
  }
}

addEventListener('hashchange', () => void show());
// Files that are dropped beside a place for them: its room takes them, another one says where they go.
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', (event) => {
  if (event.defaultPrevented || byId('room').querySelector('.drop')) return;
  event.preventDefault();
  say('dropped', 'This room takes no files; drop texts in the room Topics, and matrices, pictures and sounds in the room Matrix.');
});
addEventListener('beforeunload', (event) => {
  if ([...made.values()].some((room) => room.atRisk?.())) event.preventDefault();
});

void show();
void open();
void keepOffline();
