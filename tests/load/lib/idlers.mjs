// A process that holds idle shoppers who have said hello: idlers.mjs HOST PORT N. Says "ready" when all are there; ends with its input.
import net from 'node:net';

const [host, port, n] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const UPGRADE = `GET /ws/shopper HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: firstline.v1\r\n\r\n`;
const HELLO = Buffer.from('{"t":"hello","id":"h","locale":"en"}');
const FRAME = Buffer.concat([Buffer.from([0x81, 0x80 | HELLO.length, 0, 0, 0, 0]), HELLO]); // masked with zeros

function one() {
  return new Promise((yes, no) => {
    const s = net.connect(port, host, () => s.write(UPGRADE));
    let said = '';
    s.on('data', (d) => {
      if (said === null) return;
      said += d.toString('latin1');
      if (said.includes('"t":"welcome"')) yes((said = null));
      else if (said.includes('\r\n\r\n') && !said.includes('hello sent')) s.write(FRAME), (said = 'hello sent');
    });
    s.on('error', no);
    s.on('close', () => (said === null ? process.exit(1) : no(new Error(`closed: ${said.slice(0, 100)}`))));
  });
}

let begun = 0;
await Promise.all(Array.from({ length: 32 }, async () => {
  while (begun < n) {
    begun++;
    await one();
  }
}));
console.log('ready');
process.stdin.on('end', () => process.exit(0)).resume();
