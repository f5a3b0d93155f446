import { Button } from '../kit/Button.js';
import { Icon } from '../kit/Icon.js';
import * as icons from '../kit/icons.js';
import { useUi } from './ui.js';

/** An article answered it: no chat was needed. */
export function Solved({ onBack }: { onBack: () => void }) {
  const { t, close } = useUi();
  return (
    <div class="scroll center">
      <span class="round good"><Icon path={icons.check} size={28} /></span>
      <h2>{t('solved.title')}</h2>
      <p class="soft">{t('solved.text')}</p>
      <Button kind="primary" onClick={close}>{t('close')}</Button>
      <Button kind="quiet" onClick={onBack}>{t('solved.still')}</Button>
    </div>
  );
}
