/**
 * The browser in which the reference page is looked at. `npm test` runs this file beforehand; where there is no Chromium
 * and none can be had, all other tests go on, and the one that needs it fails with the sentence that says what to do.
 */
import { type Need, pathOfNeed, provideNeed } from './programs.ts';

const CHROMIUM: Need = {
  what: 'a Chromium browser',
  names: [
    'chromium',
    'chromium-browser',
    'google-chrome',
    'google-chrome-stable',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ],
  packages: { 'apt-get': 'chromium', apk: 'chromium', dnf: 'chromium', brew: 'chromium' },
};

/** The path of Chromium or Chrome. @throws Error that says what to install. */
export const chromiumPath = (): string => pathOfNeed(CHROMIUM);

if (import.meta.main) provideNeed(CHROMIUM);
