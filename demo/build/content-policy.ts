import type { Plugin } from 'vite';

/**
 * The content security policy of the built page: its own files and nothing else. No inline script, no other host. `blob:` is for files that the
 * person saves and pictures that the page draws. While the page is developed, vite's own client needs more, so there is no policy.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

export function contentPolicy(): Plugin {
  return {
    name: 'content-policy',
    apply: 'build',
    transformIndexHtml: () => [
      { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: policy }, injectTo: 'head-prepend' as const },
    ],
  };
}
