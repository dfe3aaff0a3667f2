import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// `npm run dev` serves the page with hot reload and passes everything else to a running server.
const server = process.env['MILLRACE_URL'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  // The server keeps `~…` out of the application names, so that the page's files never meet a stream.
  base: '/~/',
  build: {
    target: 'es2022',
    assetsDir: 'assets',
    // The licences of the bundled packages, which ask to be passed on.
    license: { fileName: 'assets/licenses.md' },
    // hls.js, in a file of its own: about 190 kB compressed, fetched where it plays.
    chunkSizeWarningLimit: 700,
    rolldownOptions: { input: { player: 'index.html' } },
  },
  server: {
    proxy: {
      '^/~/(streams|clock)$': server,
      '^/.+\\.flv(\\?.*)?$': { target: server, ws: true },
      '^/.+\\.(m3u8|m4s|mp4)(\\?.*)?$': server,
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
