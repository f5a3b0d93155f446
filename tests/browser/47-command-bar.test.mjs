// The command bar while what is possible changes under it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, still, troublesOf } from './lib/browser.mjs';
import { Rep } from './lib/people.mjs';
import { startDemo } from './lib/server.mjs';
import { Guest, Staff } from './lib/staff.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test('an act that becomes possible while the bar is open comes into it, and the chosen line stays chosen', async (t) => {
  const demo = await startDemo();
  t.after(() => demo.end());
  const mei = await Rep.come(browser, demo.origin, 'mei', { lang: 'zh-CN' });
  t.after(() => mei.page.context().close());
  const guest = await Guest.come(demo.origin, { name: '周洁' });
  const chat = await guest.start('窗帘挂钩少了两个。');
  await mei.accept();
  await mei.send('我查一下库存。');

  const bar = mei.dialog('act.palette');
  const line = (key) => bar.getByRole('option', { name: mei.t(key) });
  const chosen = bar.getByRole('option', { selected: true });
  await mei.leaveText();
  await mei.page.keyboard.press('Control+k');
  await line('act.park').waitFor();
  assert.equal(await line('act.unpark').count(), 0);
  const words = mei.t('act.theme');
  const texts = await bar.getByRole('option').allTextContents();
  const up = texts.length - texts.findIndex((text) => text.includes(words)); // from the end: it stands below what comes and goes
  // As fast as a held key repeats: no stroke may be lost to a drawing that is under way.
  await Promise.all(Array.from({ length: up }, () => mei.page.keyboard.press('ArrowUp')));
  assert.ok((await chosen.textContent()).includes(words), await chosen.textContent());
  await mei.shot('command-bar-served');

  // The same rep's other window parks the chat.
  const other = await Staff.come(demo.origin, 'mei', { shift: false });
  await other.call({ t: 'chat.park', chat, promise: '明早十点前回复库存', until: Date.now() + 3_600_000 });
  await line('act.unpark').waitFor();
  await line('act.park').waitFor({ state: 'detached' });
  assert.ok((await chosen.textContent()).includes(words));
  await still(mei.page);
  await mei.shot('command-bar-parked');

  await bar.getByRole('combobox').fill(mei.t('act.unpark'));
  await line('act.unpark').waitFor();
  await mei.page.keyboard.press('Enter');
  await bar.waitFor({ state: 'detached' });
  await mei.row('周洁').getByText(mei.t('state.parked')).waitFor({ state: 'detached' });
  assert.deepEqual(troublesOf(mei.page), []);
  other.leave();
});
