// What each person sets for this browser; and how many chats they take at once.
import { useState } from 'preact/hooks';
import { askForNotices, noticeState, soundState, testSound } from '../../../state/console/notify.js';
import { choose, settings } from '../../../state/console/settings.js';
import type { Density, Theme } from '../../../state/console/settings.js';
import { t } from '../../../state/console/words.js';
import { Button, Check, Dialog, Select, TextField, icons } from '../../kit/index.js';
import { useDesk } from '../desk.js';
import { ActDialog } from './ActDialog.js';

export function SettingsDialog() {
  const desk = useDesk();
  const s = settings.value;
  return (
    <Dialog title={t('act.settings')} closeLabel={t('close')} onClose={() => (desk.dialog.value = null)}>
      <div class="settings">
        <section>
          <h3>{t('settings.look')}</h3>
          <div class="two">
            <Select label={t('settings.theme')} value={s.theme} onChange={(e) => choose({ theme: e.currentTarget.value as Theme })}
              options={[{ value: 'system', text: t('theme.system') }, { value: 'light', text: t('theme.light') }, { value: 'dark', text: t('theme.dark') }]} />
            <Select label={t('settings.density')} value={s.density} onChange={(e) => choose({ density: e.currentTarget.value as Density })}
              options={[{ value: 'comfortable', text: t('density.comfortable') }, { value: 'compact', text: t('density.compact') }]} />
          </div>
          <Select label={t('settings.language')} value={s.lang} onChange={(e) => choose({ lang: e.currentTarget.value })}
            options={[{ value: '', text: t('settings.language_auto') }, { value: 'zh-CN', text: '中文' }, { value: 'en', text: 'English' }]} />
        </section>
        <section>
          <h3>{t('settings.notice')}</h3>
          <Check label={t('settings.sound')} {...(s.sound && soundState.value === 'refused' ? { hint: t('sound.refused') } : {})} checked={s.sound} onChange={(e) => choose({ sound: e.currentTarget.checked })} />
          <div class="settings-row">
            <label class="volume">{t('settings.volume')}<input type="range" min={0} max={100} value={Math.round(s.volume * 100)} onInput={(e) => choose({ volume: Number(e.currentTarget.value) / 100 })} /></label>
            <Button small icon={icons.bell} onClick={testSound}>{t('settings.test_sound')}</Button>
          </div>
          {noticeState.value === 'default' && <Button small icon={icons.bell} onClick={() => void askForNotices()}>{t('settings.ask_notices')}</Button>}
          {noticeState.value === 'granted' && <Check label={t('settings.notice_text')} checked={s.noticeText} onChange={(e) => choose({ noticeText: e.currentTarget.checked })} />}
          {noticeState.value === 'denied' && <p class="soft">{t('settings.notices_denied')}</p>}
        </section>
        <section>
          <h3>{t('settings.work')}</h3>
          <Check label={t('settings.enter_sends')} checked={s.enterSends} onChange={(e) => choose({ enterSends: e.currentTarget.checked })} />
          <Check label={t('settings.move_on')} checked={s.moveOn} onChange={(e) => choose({ moveOn: e.currentTarget.checked })} />
          <Check label={t('keys.letters')} hint={t('keys.letters_says')} checked={s.letterKeys} onChange={(e) => choose({ letterKeys: e.currentTarget.checked })} />
        </section>
      </div>
    </Dialog>
  );
}

export function CapacityDialog() {
  const desk = useDesk();
  const [room, setRoom] = useState(String(desk.shift.peek().capacity));
  const n = Number(room);
  const fits = Number.isInteger(n) && n >= 1 && n <= 100;
  return (
    <ActDialog title={t('act.capacity')} submit={t('capacity.submit')} command={fits ? { t: 'shift.start', capacity: n } : null}
      onDone={() => (desk.shift.value = { ...desk.shift.peek(), state: 'on', capacity: n })}>
      <TextField label={t('capacity.label')} type="number" inputMode="numeric" min="1" max="100" value={room} autoFocus hint={t('capacity.says')} onInput={(e) => setRoom(e.currentTarget.value)} />
    </ActDialog>
  );
}
