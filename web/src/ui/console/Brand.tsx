import { t } from '../../state/console/words.js';

export function Brand({ sub }: { sub?: string }) {
  return (
    <span class="logo">
      <svg class="logo-mark" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true"><rect width="32" height="32" rx="8" /><path d="M8 10h16v10h-8l-5 4v-4H8z" /></svg>
      <b>{t('product')}</b>{sub && <span class="logo-sub">{sub}</span>}
    </span>
  );
}
