// Asking the server from a screen: what came, that it is being asked, that it failed, and asking again.
import { useCallback, useEffect, useState } from 'preact/hooks';
import { ApiError } from '../../state/console/api.js';

export interface Asked<T> { value: T | null; error: ApiError | null; again: () => void }

export function useAsk<T>(ask: () => Promise<T>, on: unknown[]): Asked<T> {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let gone = false;
    ask().then((v) => {
      if (gone) return;
      setValue(v);
      setError(null);
    }, (e: unknown) => {
      if (!(e instanceof ApiError)) throw e;
      if (!gone) setError(e);
    });
    return () => {
      gone = true;
    };
  }, [...on, round]);
  const again = useCallback(() => {
    setError(null); // it is being asked
    setRound((n) => n + 1);
  }, []);
  return { value, error, again };
}
