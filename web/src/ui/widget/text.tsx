// Text from people, shown as text, with links of four kinds.
const link = /((?:https?:\/\/|mailto:|tel:)[^\s<>"'，。！？；：、（）【】《》]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)/gi;

/** http, https, mailto and tel become links that show where they lead. */
export function Linked({ text }: { text: string }) {
  return (
    <>
      {text.split(link).map((part, i) => {
        if (i % 2 === 0) return part;
        const tail = /[.,!?;:)\]]+$/.exec(part)?.[0] ?? '';
        const address = part.slice(0, part.length - tail.length);
        const href = /^(https?|mailto|tel):/i.test(address) ? address : `mailto:${address}`;
        return <><a href={href} target="_blank" rel="noopener noreferrer nofollow" key={i}>{address}</a>{tail}</>;
      })}
    </>
  );
}
