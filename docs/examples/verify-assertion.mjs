// Who asks? Verifies the `rampart-assertion` header of a request, with Node's own crypto alone.
//
//   node verify-assertion.mjs KEYS ISSUER AUDIENCE < assertion
//
// KEYS is https://<your host>/.rampart/assertion-keys.json, or a file with what is served there.
// Prints the claims (exit 0), or says why the assertion is refused (exit 1).

import { createPublicKey, verify as verifySignature } from "node:crypto";
import { readFileSync } from "node:fs";

/** Clocks may be apart by so many seconds. */
const LEEWAY = 5;

class Refused extends Error {}

/** The public keys by id. Keep them, and ask again when an assertion names another. */
async function keys(source) {
  const remote = source.startsWith("https://") || source.startsWith("http://127.0.0.1:");
  const text = remote
    ? await (await fetch(source, { redirect: "error", signal: AbortSignal.timeout(5000) })).text()
    : readFileSync(source, "utf8");
  const known = new Map();
  for (const key of JSON.parse(text).keys) {
    // Rampart signs with Ed25519 and with nothing else.
    if (key.kty === "OKP" && key.crv === "Ed25519") {
      known.set(key.kid, createPublicKey({ key, format: "jwk" }));
    }
  }
  return known;
}

/** The bytes of a part. Node would skip what is not base64url; nothing is skipped here. */
function bytes(part) {
  if (!/^[A-Za-z0-9_-]+$/.test(part)) throw new Refused("it cannot be read");
  return Buffer.from(part, "base64url");
}

function json(part) {
  let value;
  try {
    value = JSON.parse(bytes(part).toString("utf8"));
  } catch {
    throw new Refused("it cannot be read");
  }
  if (value === null || typeof value !== "object") throw new Refused("it cannot be read");
  return value;
}

/** The claims; throws for every assertion that does not hold here and now. */
function verify(assertion, known, issuer, audience, now = Date.now() / 1000) {
  const parts = assertion.split(".");
  if (parts.length !== 3) throw new Refused("it cannot be read");
  const head = json(parts[0]);
  // Another JWT signed by the same key would say something else.
  if (head.typ !== "rampart-assertion+jwt") throw new Refused("this is no assertion");
  if (head.alg !== "EdDSA") throw new Refused("it is signed in another way");
  const key = known.get(head.kid);
  if (key === undefined) throw new Refused("it names no key of Rampart's");
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`);
  if (!verifySignature(null, signed, key, bytes(parts[2]))) {
    throw new Refused("its signature is wrong");
  }
  const claims = json(parts[1]);
  if (claims.iss !== issuer) throw new Refused("it is from another issuer");
  if (claims.aud !== audience) throw new Refused("it is for another service");
  if (!Number.isInteger(claims.exp) || !Number.isInteger(claims.iat)) {
    throw new Refused("it does not say when it holds");
  }
  if (now >= claims.exp + LEEWAY) throw new Refused("it has ended");
  if (now < claims.iat - LEEWAY) throw new Refused("it does not hold yet");
  if (typeof claims.sub !== "string") throw new Refused("it does not say who asks");
  return claims;
}

const [source, issuer, audience] = process.argv.slice(2);
try {
  const assertion = readFileSync(0, "utf8").trim();
  console.log(JSON.stringify(verify(assertion, await keys(source), issuer, audience)));
} catch (why) {
  if (!(why instanceof Refused)) throw why;
  console.error(`refused: ${why.message}`);
  process.exitCode = 1;
}
