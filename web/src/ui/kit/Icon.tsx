/** An inline icon in the colour of its text. It is decoration: the control around it bears the name. */
export function Icon({ path, size = 20, fill = false }: { path: string; size?: number; fill?: boolean }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={path} fill={fill ? 'currentColor' : 'none'} />
    </svg>
  );
}
