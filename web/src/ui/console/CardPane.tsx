// The right pane: the customer file and what is agreed, so that nothing has to be said twice.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { promise, tag, triage, verify } from '../../actions/chat.js';
import { ime } from '../../model/ime.js';
import { isHandler } from '../../state/console/compose.js';
import { checkNames, checkText, classText, stateText } from '../../state/console/labels.js';
import { pastChats } from '../../state/console/past.js';
import type { Row } from '../../state/console/row.js';
import type { ChatView } from '../../state/console/view.js';
import { i18n, t } from '../../state/console/words.js';
import { keepFocus } from '../kit/focus.js';
import { Avatar, Badge, Button, Icon, IconButton, Spinner, icons } from '../kit/index.js';
import { Due } from './bits.js';
import { Act, useDesk } from './desk.js';
import { drawer } from './layout.js';
import { useAsk } from './useAsk.js';

export function CardPane() {
  const desk = useDesk();
  const view = desk.current;
  const pane = useRef<HTMLElement>(null);
  const over = drawer.value;
  useLayoutEffect(() => (over && pane.current ? keepFocus(pane.current) : undefined), [over]);
  if (!view) return null;
  const row = view.row.value;
  const mine = isHandler(row, desk.me.id);
  return (
    <aside class="card-pane" aria-label={t('card.label')} ref={pane} onKeyDown={(e) => {
      if (e.key !== 'Escape' || ime.owns(e) || !drawer.value) return;
      e.stopPropagation();
      drawer.value = false;
    }}>
      <div class="card-top">
        <h2>{t('card.label')}</h2>
        <IconButton class="card-close" small icon={icons.close} label={t('close')} onClick={() => (drawer.value = false)} />
      </div>
      <Customer row={row} />
      {(row.requirements || row.summary || row.promised) && <Handed row={row} />}
      <Verification view={view} mine={mine} />
      <Promises view={view} mine={mine} />
      <Tags view={view} />
      <Past view={view} key={view.chat} />
    </aside>
  );
}

function Part({ title, act, children }: { title: string; act?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="part">
      <div class="part-head"><h3>{title}</h3>{act}</div>
      {children}
    </section>
  );
}

function Customer({ row }: { row: Row }) {
  const desk = useDesk();
  const who = row.shopper;
  const name = who?.name ?? t('guest');
  const say = (p: Row['owner']) => (p === null ? t('nobody_yet') : p.id === desk.me.id ? t('you') : desk.nameOf(p.id, p.name));
  const language = who?.locale ? languageName(who.locale) : '';
  return (
    <section class="part first">
      <div class="customer">
        <Avatar name={name} />
        <div>
          <b dir="auto">{name}</b>
          <p>{who?.identified ? <Badge tone="good"><Icon path={icons.shield} size={13} />{t('card.identified')}</Badge> : <Badge>{t('card.anonymous')}</Badge>}</p>
        </div>
      </div>
      <dl class="facts">
        {language && <><dt>{t('card.language')}</dt><dd>{language}</dd></>}
        <dt>{t('card.class')}</dt><dd>{classText(row.class)}</dd>
        <dt>{t('card.department')}</dt><dd class="with-act"><span>{row.department ? desk.departmentText(row.department) : '–'}</span><Act action={triage} small bare hide /></dd>
        {row.topic && <><dt>{t('card.topic')}</dt><dd dir="auto">{row.topic}</dd></>}
        {who?.page && <><dt>{t('card.page')}</dt><dd class="page" title={who.page}>{who.page}</dd></>}
        <dt>{t('card.owner')}</dt><dd><b>{say(row.owner)}</b></dd>
        <dt>{t('card.handler')}</dt><dd>{say(row.handler)}</dd>
      </dl>
    </section>
  );
}

function languageName(locale: string): string {
  try {
    return new Intl.DisplayNames([i18n.value.lang === 'en-XA' ? 'en' : i18n.value.lang], { type: 'language' }).of(locale) ?? locale;
  } catch {
    return locale;
  }
}

function Handed({ row }: { row: Row }) {
  return (
    <>
      {row.requirements && <section class="part special"><div class="part-head"><h3><Icon path={icons.heart} size={15} />{t('card.requirements')}</h3></div><p dir="auto">{row.requirements}</p></section>}
      {(row.summary || row.promised) && (
        <Part title={t('card.handed')}>
          <dl class="facts stacked">
            {row.summary && <><dt>{t('card.summary')}</dt><dd dir="auto">{row.summary}</dd></>}
            {row.promised && <><dt>{t('card.promised')}</dt><dd dir="auto">{row.promised}</dd></>}
          </dl>
        </Part>
      )}
    </>
  );
}

/** All that are ticked in this one's list, also those whose answer has not come yet: what is sent replaces what was verified (rule 2.5). */
function ticked(field: HTMLInputElement): string[] {
  return [...(field.closest('ul')?.querySelectorAll<HTMLInputElement>('input:checked') ?? [])].map((x) => x.value);
}

function Verification({ view, mine }: { view: ChatView; mine: boolean }) {
  const desk = useDesk();
  const row = view.row.value;
  const names = [...checkNames, ...row.verified.filter((v) => !(checkNames as readonly string[]).includes(v))];
  const n = row.verified.length;
  return (
    <Part title={t('card.verification')} act={<span class={n > 0 ? 'part-n good' : 'part-n'}>{n > 0 ? t('card.checked', { n }) : t('card.unchecked')}</span>}>
      <ul class="ticks">
        {names.map((name) => {
          const on = row.verified.includes(name);
          return (
            <li key={name}>
              <label class={on ? 'tick on' : 'tick'}>
                <input type="checkbox" value={name} checked={on} disabled={!mine || on}
                  onChange={(e) => {
                    const field = e.currentTarget;
                    void desk.attempt({ t: 'chat.verify', chat: view.chat, checks: ticked(field) }).then((ok) => {
                      if (!ok) field.checked = false;
                    });
                  }} />
                {checkText(name)}
              </label>
            </li>
          );
        })}
      </ul>
      {mine && <div class="part-foot"><Act action={verify} kind="quiet" small /></div>}
    </Part>
  );
}

function Promises({ view, mine }: { view: ChatView; mine: boolean }) {
  const desk = useDesk();
  const promises = [...view.row.value.promises].sort((a, b) => Number(a.state === 'kept') - Number(b.state === 'kept') || a.until - b.until);
  return (
    <Part title={t('card.promises')} act={<Act action={promise} kind="quiet" small hide />}>
      {promises.length === 0 && <p class="soft">{t('card.no_promises')}</p>}
      <ul class="promises">
        {promises.map((p) => (
          <li key={p.id} class={p.state === 'kept' ? 'promise kept' : 'promise'}>
            <span class="promise-text" dir="auto">{p.text}</span>
            {p.state === 'kept' ? <span class="age"><Icon path={icons.check} size={13} />{t('card.kept')}</span> : <Due until={p.until} />}
            {mine && p.state !== 'kept' && <Button small kind="quiet" onClick={() => void desk.attempt({ t: 'promise.done', chat: view.chat, promise: p.id })}>{t('card.mark_kept')}</Button>}
          </li>
        ))}
      </ul>
    </Part>
  );
}

function Tags({ view }: { view: ChatView }) {
  const desk = useDesk();
  const { tags } = view.row.value;
  const remove = async (name: string) => {
    if (!(await desk.attempt({ t: 'chat.tag', chat: view.chat, remove: [name] }))) return;
    desk.toasts.say(t('done.untagged', { name }), { text: t('undo'), run: () => void desk.attempt({ t: 'chat.tag', chat: view.chat, add: [name] }) });
  };
  return (
    <Part title={t('card.tags')} act={<Act action={tag} kind="quiet" small hide />}>
      {tags.length === 0 ? <p class="soft">{t('card.no_tags')}</p> : (
        <ul class="tags">
          {tags.map((name) => (
            <li key={name} class="tag"><span dir="auto">{name}</span><button type="button" aria-label={t('card.untag', { name })} onClick={() => void remove(name)}><Icon path={icons.close} size={12} /></button></li>
          ))}
        </ul>
      )}
    </Part>
  );
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

function Past({ view }: { view: ChatView }) {
  const desk = useDesk();
  const shopper = view.row.value.shopper?.id;
  const handler = view.row.value.handler?.id ?? null;
  const asked = useAsk(async () => (shopper === undefined ? null : { list: await pastChats(shopper, view.chat, handler, pause) }), [shopper, handler]);
  const list = asked.value?.list;
  return (
    <Part title={t('card.past')}>
      {asked.error !== null ? <p class="soft">{t('card.past_failed')} <Button small kind="quiet" onClick={asked.again}>{t('retry')}</Button></p>
        : list === undefined ? <Spinner label={t('card.past_loading')} />
        : list === null ? <p class="soft">{t('card.past_hidden')}</p>
        : list.length === 0 && <p class="soft">{t('card.no_past')}</p>}
      <ul class="past">
        {(list ?? []).map((p) => (
          <li key={p.chat}>
            <button type="button" class="past-open" onClick={() => (desk.dialog.value = { kind: 'past', chat: view.chat, past: p.chat })}>
              <span class="past-line"><b>{i18n.value.day(p.started, Date.now())} {i18n.value.time(p.started)}</b><Badge>{stateText(p.state)}</Badge></span>
              <span class="soft">{[p.owner ? t('card.was_owner', { name: desk.nameOf(p.owner.id, p.owner.name) }) : '', t('card.messages', { n: p.messages })].filter(Boolean).join(' · ')}</span>
            </button>
          </li>
        ))}
      </ul>
    </Part>
  );
}
