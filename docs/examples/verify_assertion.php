<?php
// Who asks? Verifies the `rampart-assertion` header of a request, with PHP's own sodium alone.
//
//   php verify_assertion.php KEYS ISSUER AUDIENCE < assertion
//
// KEYS is https://<your host>/.rampart/assertion-keys.json, or a file with what is served there.
// Prints the claims (exit 0), or says why the assertion is refused (exit 1).

declare(strict_types=1);

// Clocks may be apart by so many seconds.
const LEEWAY = 5;

final class Refused extends Exception {}

// The bytes of a part: base64url without padding, and nothing else.
function bytes(string $part): string
{
    try {
        return sodium_base642bin($part, SODIUM_BASE64_VARIANT_URLSAFE_NO_PADDING);
    } catch (SodiumException) {
        throw new Refused('it cannot be read');
    }
}

function json(string $part): array
{
    $value = json_decode(bytes($part), true, 16);
    if (!is_array($value)) {
        throw new Refused('it cannot be read');
    }
    return $value;
}

// The public keys by id. Keep them, and ask again when an assertion names another.
function keys(string $source): array
{
    $options = ['http' => ['timeout' => 5, 'follow_location' => 0]];
    $text = file_get_contents($source, false, stream_context_create($options), 0, 65536);
    if ($text === false) {
        throw new RuntimeException("cannot read $source");
    }
    $known = [];
    foreach (json_decode($text, true, 16, JSON_THROW_ON_ERROR)['keys'] as $key) {
        // Rampart signs with Ed25519 and with nothing else.
        if ($key['kty'] === 'OKP' && $key['crv'] === 'Ed25519') {
            $known[$key['kid']] = bytes($key['x']);
        }
    }
    return $known;
}

// The claims; throws for every assertion that does not hold here and now.
function verify(string $assertion, array $known, string $issuer, string $audience): array
{
    $parts = explode('.', $assertion);
    if (count($parts) !== 3) {
        throw new Refused('it cannot be read');
    }
    $head = json($parts[0]);
    // Another JWT signed by the same key would say something else.
    if (($head['typ'] ?? null) !== 'rampart-assertion+jwt') {
        throw new Refused('this is no assertion');
    }
    if (($head['alg'] ?? null) !== 'EdDSA') {
        throw new Refused('it is signed in another way');
    }
    $id = $head['kid'] ?? null;
    if (!is_string($id) || !isset($known[$id])) {
        throw new Refused("it names no key of Rampart's");
    }
    $signature = bytes($parts[2]);
    if (strlen($signature) !== SODIUM_CRYPTO_SIGN_BYTES
        || !sodium_crypto_sign_verify_detached($signature, "$parts[0].$parts[1]", $known[$id])) {
        throw new Refused('its signature is wrong');
    }
    $claims = json($parts[1]);
    if (($claims['iss'] ?? null) !== $issuer) {
        throw new Refused('it is from another issuer');
    }
    if (($claims['aud'] ?? null) !== $audience) {
        throw new Refused('it is for another service');
    }
    if (!is_int($claims['exp'] ?? null) || !is_int($claims['iat'] ?? null)) {
        throw new Refused('it does not say when it holds');
    }
    if (time() >= $claims['exp'] + LEEWAY) {
        throw new Refused('it has ended');
    }
    if (time() < $claims['iat'] - LEEWAY) {
        throw new Refused('it does not hold yet');
    }
    if (!is_string($claims['sub'] ?? null)) {
        throw new Refused('it does not say who asks');
    }
    return $claims;
}

[, $source, $issuer, $audience] = $argv;
try {
    $assertion = trim((string) stream_get_contents(STDIN, 16384));
    $claims = verify($assertion, keys($source), $issuer, $audience);
} catch (Refused $why) {
    fwrite(STDERR, 'refused: ' . $why->getMessage() . "\n");
    exit(1);
}
echo json_encode($claims, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), "\n";
