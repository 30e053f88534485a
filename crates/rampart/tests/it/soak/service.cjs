// A service as services are: answers of any size, slow ones, uploads, and WebSockets that echo.
'use strict';
const { createHash } = require('crypto');
const http = require('http');

const server = http.createServer((req, res) => {
  let length = 0;
  req.on('data', (data) => { length += data.length; });
  req.on('error', () => {});
  req.on('end', () => {
    const [, kind, number] = req.url.split('?')[0].match(/\/(n|slow)\/(\d+)$/) || [];
    if (kind === 'n') return res.end(Buffer.alloc(Number(number), 'x'));
    const answer = () => res.end(`${req.method} ${length}\n`);
    return kind === 'slow' ? setTimeout(answer, Number(number)) : answer();
  });
});
server.keepAliveTimeout = 600000;
server.on('upgrade', (req, socket) => {
  const proof = createHash('sha1')
    .update(req.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11')
    .digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${proof}\r\n\r\n`);
  let input = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (data) => {
    input = Buffer.concat([input, data]);
    // Short frames only, masked as a client's are (RFC 6455 §5.2).
    while (input.length >= 6 && input.length >= 6 + (input[1] & 0x7f)) {
      const length = input[1] & 0x7f;
      const content = Buffer.from(input.subarray(6, 6 + length).map((byte, at) => byte ^ input[2 + (at % 4)]));
      socket.write(Buffer.concat([Buffer.from([input[0], length]), content]));
      if ((input[0] & 0x0f) === 8) return socket.end();
      input = input.subarray(6 + length);
    }
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1');
