/** How to get the packages that Node needs and a browser app does not. */
export const installHint = 'run: npm install webgpu @sparticuz/chromium@147.0.0';
