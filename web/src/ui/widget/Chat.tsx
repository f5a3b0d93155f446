import { Composer } from './Composer.js';
import { Farewell } from './Farewell.js';
import { Proposed, Waiting } from './Foot.js';
import { Log } from './Log.js';
import { useUi } from './ui.js';

/** The conversation, and below it what its state asks for. */
export function Chat() {
  const { s, t } = useUi();
  const title = t('title', { name: s.welcome?.site?.name ?? '' });
  const waits = s.log && !s.isOver && !s.case.handler && s.case.state !== 'proposed' && s.case.state !== 'parked';
  return (
    <>
      <Log>
        {waits && <Waiting />}
        {!s.log && s.sending.some((item) => item.state === 'pending') && <p class="card unsent" role="status">{t('msg.unsent')}</p>}
      </Log>
      {s.case.state === 'proposed' && <Proposed />}
      {s.isOver ? <Farewell title={title} /> : <Composer key={s.takenBack} />}
    </>
  );
}
