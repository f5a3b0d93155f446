// What is offered to this rep: a card with the server's deadline; A accepts, D declines.
import { useComputed } from '@preact/signals';
import { acceptOffer, declineOffer } from '../../actions/desk.js';
import type { OfferSignal } from '../../model/types.js';
import { checkText } from '../../state/console/labels.js';
import { i18n, t } from '../../state/console/words.js';
import { Button, Icon, icons } from '../kit/index.js';
import { ClassBadge } from './bits.js';
import { useDesk } from './desk.js';

export function Offers() {
  const desk = useDesk();
  const offers = [...desk.offers.value].sort((a, b) => a.deadline_at - b.deadline_at);
  return (
    <div class="offers">
      <div class="sr" role="alert">{offers.length > 0 ? t('offer.announce', { n: offers.length }) : ''}</div>
      {offers.map((o, i) => <Offer key={o.chat} offer={o} first={i === 0} />)}
    </div>
  );
}

function Offer({ offer, first }: { offer: OfferSignal; first: boolean }) {
  const desk = useDesk();
  const { card } = offer;
  const { offer_ms = 30_000, transfer_ms, answer_ms = 60_000 } = desk.limits.value;
  const whole = offer.kind === 'transfer' ? (transfer_ms ?? answer_ms) : offer_ms;
  const left = useComputed(() => Math.max(0, Math.min(Math.round(whole / 1000), Math.ceil((offer.deadline_at - desk.now.value) / 1000))));
  const part = useComputed(() => Math.max(0, Math.min(100, ((offer.deadline_at - desk.now.value) / whole) * 100)));
  const name = card?.shopper?.name ?? t('guest');
  const isTransfer = offer.kind === 'transfer';
  return (
    <section class={left.value <= 10 ? 'offer soon' : 'offer'} aria-label={isTransfer ? t('offer.transfer_from', { name: desk.nameOf(offer.from?.id, offer.from?.name) }) : t('offer.new')}>
      <header class="offer-head">
        <Icon path={isTransfer ? icons.handover : icons.bell} size={16} />
        <b>{isTransfer ? t('offer.transfer_from', { name: desk.nameOf(offer.from?.id, offer.from?.name) }) : t('offer.new')}</b>
        <span class="offer-left">{t('countdown', { n: left.value })}</span>
      </header>
      <div class="offer-bar" aria-hidden="true"><span style={{ width: `${part.value}%` }} /></div>
      <p class="offer-who">
        <b dir="auto">{name}</b> <ClassBadge name={card?.class ?? 'normal'} />
        {card?.waited_ms !== undefined && <span class="soft">{t('offer.waited', { span: i18n.value.span(card.waited_ms) })}</span>}
      </p>
      <p class="offer-where soft">{[card?.department && desk.departmentText(card.department), card?.topic, card?.shopper?.locale].filter(Boolean).join(' · ')}</p>
      {card?.first_text && <blockquote class="offer-text" dir="auto">{card.first_text}</blockquote>}
      {(card?.summary || card?.requirements || card?.promised || (card?.verified?.length ?? 0) > 0) && (
        <dl class="offer-card">
          {card?.summary && <><dt>{t('card.summary')}</dt><dd dir="auto">{card.summary}</dd></>}
          {card?.requirements && <><dt>{t('card.requirements')}</dt><dd dir="auto">{card.requirements}</dd></>}
          {(card?.verified?.length ?? 0) > 0 && <><dt>{t('card.verified')}</dt><dd>{card?.verified?.map(checkText).join(', ')}</dd></>}
          {card?.promised && <><dt>{t('card.promised')}</dt><dd dir="auto">{card.promised}</dd></>}
        </dl>
      )}
      <div class="offer-acts">
        <Button kind="primary" small icon={icons.check} onClick={() => void acceptOffer(desk, offer.chat)}>{t('act.accept')}{first && <kbd>A</kbd>}</Button>
        <Button small onClick={() => void declineOffer(desk, offer.chat)}>{t('act.decline')}{first && <kbd>D</kbd>}</Button>
      </div>
    </section>
  );
}
