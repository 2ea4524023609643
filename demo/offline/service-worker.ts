/** Keeps the page's own files, so that it opens without a network. It sees no data: files of the person never become requests. */
import { cleanupOutdatedCaches, precacheAndRoute } from 'workbox-precaching';

declare const self: ServiceWorkerGlobalScope & { __FILES: { url: string; revision: string | null }[] };

cleanupOutdatedCaches();
precacheAndRoute(self.__FILES);

// Examples are kept once they were fetched.
self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== self.location.origin || !url.pathname.includes('/examples/')) return;
  event.respondWith(
    caches.open('examples').then(async (cache) => {
      const kept = await cache.match(event.request);
      if (kept) return kept;
      const fetched = await fetch(event.request);
      if (fetched.ok) await cache.put(event.request, fetched.clone());
      return fetched;
    }),
  );
});
