// Notes every request it sees, as node's own parser reads it at its most lenient.
'use strict';
const { createHash } = require('crypto');
const fs = require('fs');
const http = require('http');

const [port, path] = process.argv.slice(2);
const log = fs.openSync(path, 'a');
const note = (what) => fs.writeSync(log, JSON.stringify(what) + '\n');
const pairs = (raw) => {
  const all = [];
  for (let at = 0; at < raw.length; at += 2) all.push([raw[at], raw[at + 1]]);
  return all;
};

const server = http.createServer({ insecureHTTPParser: true, maxHeaderSize: 65536 }, (req, res) => {
  const hash = createHash('sha256');
  let length = 0;
  let whole = false;
  const seen = () => ({
    method: req.method, target: req.url, headers: pairs(req.rawHeaders), length, whole,
    sha256: hash.digest('hex'),
  });
  req.on('data', (data) => {
    hash.update(data);
    length += data.length;
  });
  req.on('end', () => {
    whole = true;
    note(seen());
    res.end('seen\n');
  });
  req.on('close', () => {
    if (!whole) note(seen());
  });
});
server.keepAliveTimeout = 600000;
server.on('clientError', (error, socket) => {
  const id = /^x-request-id: (req_[0-9A-Z]{26})\r$/m.exec(error.rawPacket?.toString('latin1') ?? '');
  note({ rejected: error.code, id: id?.[1] });
  socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
});
for (const event of ['upgrade', 'connect']) {
  server.on(event, (req, socket) => {
    note({ method: req.method, target: req.url, headers: pairs(req.rawHeaders), length: 0, whole: false, sha256: event });
    socket.destroy();
  });
}
server.listen(Number(port), '127.0.0.1');
