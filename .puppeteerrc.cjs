// The tests use an installed Chrome or the one @sparticuz/chromium carries (scripts/…): puppeteer's own download is never needed.
module.exports = { skipDownload: true };
