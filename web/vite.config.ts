import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The console serves `dist/` under a policy that allows no inline script or style: nothing is inlined here. */
export default defineConfig({
  plugins: [react()],
  build: {
    target: 'esnext',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
