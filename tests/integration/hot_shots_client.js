// Sends one of everything that the DogStatsD client hot-shots can send to 127.0.0.1:PORT, and says how many lines that was.
//
//   node hot_shots_client.js udp|tcp PORT

const StatsD = require('hot-shots');

const [protocol, port] = process.argv.slice(2);

let lines = 0;
function fail(error) {
  console.error(`hot_shots_client: ${error}`);
  process.exitCode = 1;
}

const client = new StatsD({
  host: '127.0.0.1',
  port: Number(port),
  protocol,
  prefix: 'shop.',
  globalTags: {env: 'test'},
  maxBufferSize: 1200,  // several lines in one packet
  datadog: true,
  containerID: 'c0ffee',
  includeDatadogTelemetry: false,
  errorHandler: fail,
});

function send(method, ...args) {
  client[method](...args);
  ++lines;
}

for (let i = 0; i < 100; ++i) send('increment', 'orders', 1, {kind: i % 4 === 0 ? 'gift' : 'plain'});
send('increment', 'orders', 2.5, ['kind:plain', 'urgent']);

// Taken one time in four: the client's dice decide, so they are loaded.
const dice = Math.random;
Math.random = () => 0;
for (let i = 0; i < 10; ++i) send('increment', 'visits', 1, 0.25);
Math.random = dice;

send('decrement', 'orders', 3, {kind: 'plain'});

send('gauge', 'queue.depth', 17);
send('gauge', 'queue.depth', 21.5);
send('gauge', 'balance', 10, {account: 'a/b "c"'});
send('gaugeDelta', 'balance', 5, {account: 'a/b "c"'});
send('gaugeDelta', 'balance', -7.5, {account: 'a/b "c"'});

for (let i = 0; i < 60; ++i) send('set', 'users', `user-${i % 20}`);

for (let i = 1; i <= 100; ++i) {
  send('timing', 'request.time', i, {path: '/buy'});
  send('histogram', 'basket-size', i / 2);
  send('distribution', 'price', i * 10);
}

send('event', 'deployed', 'version 7\nby nobody', {alert_type: 'info'}, ['site:eu']);
send('check', 'database', client.CHECKS.WARNING, {message: 'slow'});

client.close((error) => {
  if (error) fail(error);
  console.log(lines);
});
