// The lead's live board: queues, people and loads, alerts that must be acted on, every live chat.
import { useState } from 'preact/hooks';
import { alertActionText, alertActions, presenceText, stateText } from '../../state/console/labels.js';
import { isOver } from '../../state/console/row.js';
import type { Row } from '../../state/console/row.js';
import { i18n, t } from '../../state/console/words.js';
import { Avatar, Badge, Button, Icon, icons } from '../kit/index.js';
import type { Tone } from '../kit/index.js';
import { Age, ClassBadge } from './bits.js';
import { stateTone } from './Conversation.js';
import { useDesk } from './desk.js';

export function Board() {
  return (
    <main class="board" id="conversation" tabIndex={-1}>
      <h1>{t('board.title')}</h1>
      <Tiles />
      <Alerts />
      <div class="board-cols">
        <Departments />
        <People />
      </div>
      <Live />
    </main>
  );
}

function Tiles() {
  const desk = useDesk();
  const waiting = desk.queues.value.reduce((n, q) => n + q.waiting, 0);
  const longest = desk.queues.value.reduce<number | null>((low, q) => (q.longest_since == null ? low : low === null ? q.longest_since : Math.min(low, q.longest_since)), null);
  const on = desk.people.value.filter((p) => p.state === 'on').length;
  const live = liveRows(desk.views).length;
  return (
    <dl class="tiles">
      <div class="tile"><dt>{t('board.waiting')}</dt><dd>{i18n.value.number(waiting)}</dd></div>
      <div class="tile"><dt>{t('board.longest')}</dt><dd>{waiting > 0 && longest !== null ? i18n.value.span(desk.now.value - longest) : '–'}</dd></div>
      <div class="tile"><dt>{t('board.live')}</dt><dd>{i18n.value.number(live)}</dd></div>
      <div class="tile"><dt>{t('board.on')}</dt><dd>{i18n.value.number(on)}</dd></div>
      <div class={desk.alerts.value.length > 0 ? 'tile bad' : 'tile'}><dt>{t('board.alerts')}</dt><dd>{i18n.value.number(desk.alerts.value.length)}</dd></div>
    </dl>
  );
}

function liveRows(views: ReturnType<typeof useDesk>['views']): Row[] {
  return [...views.values()].map((v) => v.row.value).filter((r) => !isOver(r));
}

function alertKind(kind: string): string {
  switch (kind) {
    case 'wait': return t('alert.kind_wait');
    case 'long_wait':
    case 'care': return t('alert.kind_wait');
    case 'promise': return t('alert.kind_promise');
    case 'silent': return t('alert.kind_silent');
    default: return kind;
  }
}

export function Alerts() {
  const desk = useDesk();
  const alerts = desk.alerts.value;
  if (alerts.length === 0) return null;
  return (
    <section class="alerts" aria-labelledby="alerts-title">
      <h2 id="alerts-title"><Icon path={icons.alert} size={18} />{t('alerts.title')}</h2>
      <ul>
        {alerts.map((a) => {
          const row = a.chat === undefined ? null : (desk.views.get(a.chat)?.row.value ?? null);
          return (
            <li key={a.alert} class="alert-row">
              <div class="alert-what">
                <b dir="auto">{row?.shopper?.name ?? t('guest')}</b> <span>{alertKind(a.kind)}</span> <Age since={a.since} />
                {(a.level ?? 0) > 1 && <Badge tone="bad">{t('alert.level', { n: a.level ?? 0 })}</Badge>}
                {a.department && <span class="soft">{desk.departmentText(a.department)}</span>}
              </div>
              <div class="alert-acts">
                {a.chat !== undefined && <Button small kind="quiet" onClick={() => desk.show(a.chat ?? '')}>{t('open')}</Button>}
                {alertActions.map((action) => (
                  <Button key={action} small {...(action === 'take_over' ? { kind: 'primary' as const } : {})} onClick={() => (desk.dialog.value = { kind: 'alert', alert: a.alert, action })}>{alertActionText(action)}</Button>
                ))}
              </div>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Departments() {
  const desk = useDesk();
  return (
    <section>
      <h2>{t('board.queues')}</h2>
      <table class="grid">
        <thead><tr><th scope="col">{t('card.department')}</th><th scope="col" class="num">{t('board.waiting')}</th><th scope="col">{t('board.longest')}</th></tr></thead>
        <tbody>
          {desk.queues.value.map((q) => (
            <tr key={q.department}><th scope="row">{desk.departmentText(q.department)}</th><td class="num">{i18n.value.number(q.waiting)}</td><td>{q.waiting > 0 && q.longest_since != null ? <Age since={q.longest_since} /> : '–'}</td></tr>
          ))}
        </tbody>
      </table>
      {desk.queues.value.length === 0 && <p class="soft">{t('board.no_queues')}</p>}
    </section>
  );
}

const presenceTone: Record<string, Tone> = { on: 'good', paused: 'warn' };

function People() {
  const desk = useDesk();
  const order: Record<string, number> = { on: 0, paused: 1 };
  const people = [...desk.people.value].sort((a, b) => (order[a.state] ?? 2) - (order[b.state] ?? 2) || (a.name < b.name ? -1 : 1));
  const loads = new Map<string, number>();
  for (const r of liveRows(desk.views)) if (r.handler && (r.state === 'assigned' || r.state === 'active')) loads.set(r.handler.id, (loads.get(r.handler.id) ?? 0) + 1);
  return (
    <section>
      <h2>{t('board.people')}</h2>
      <table class="grid">
        <thead><tr><th scope="col">{t('board.person')}</th><th scope="col">{t('board.presence')}</th><th scope="col" class="num">{t('board.load')}</th></tr></thead>
        <tbody>
          {people.map((p) => (
            <tr key={p.id}>
              <th scope="row"><span class="person"><Avatar name={p.name} small />{p.name}</span></th>
              <td><Badge {...(presenceTone[p.state] ? { tone: presenceTone[p.state] as Tone } : {})}>{presenceText(p.state)}</Badge></td>
              <td class="num">{i18n.value.number(p.load ?? loads.get(p.id) ?? 0)}{p.capacity !== undefined && ` / ${p.capacity}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const PAGE = 50;

function Live() {
  const desk = useDesk();
  desk.membership.value;
  const [most, setMost] = useState(PAGE);
  const rows = liveRows(desk.views).sort((a, b) => (a.unansweredSince ?? a.waitingSince ?? Infinity) - (b.unansweredSince ?? b.waitingSince ?? Infinity));
  return (
    <section>
      <h2>{t('board.chats')} <span class="soft">{i18n.value.number(rows.length)}</span></h2>
      {rows.length === 0 ? <p class="soft">{t('board.no_chats')}</p> : (
        <div class="grid-wrap">
          <table class="grid">
            <thead><tr><th scope="col">{t('board.shopper')}</th><th scope="col">{t('board.state')}</th><th scope="col">{t('board.unanswered')}</th><th scope="col">{t('card.handler')}</th><th scope="col">{t('card.owner')}</th><th scope="col">{t('card.department')}</th></tr></thead>
            <tbody>
              {rows.slice(0, most).map((r) => (
                <tr key={r.chat}>
                  <th scope="row"><button type="button" class="link" onClick={() => desk.show(r.chat)}>{r.shopper?.name ?? t('guest')}</button> <ClassBadge name={r.class} /></th>
                  <td><Badge {...(stateTone[r.state] ? { tone: stateTone[r.state] as Tone } : {})}>{stateText(r.state)}</Badge></td>
                  <td>{(r.unansweredSince ?? r.waitingSince) !== null ? <Age since={r.unansweredSince ?? r.waitingSince ?? 0} /> : '–'}</td>
                  <td>{r.handler ? desk.nameOf(r.handler.id, r.handler.name) : '–'}</td>
                  <td>{r.owner ? desk.nameOf(r.owner.id, r.owner.name) : '–'}</td>
                  <td>{desk.departmentText(r.department)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows.length > most && <Button small onClick={() => setMost(most + PAGE)}>{t('show_more')}</Button>}
    </section>
  );
}
