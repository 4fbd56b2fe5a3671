"use strict";

// webrtc-pc §4.9 Certificate Management

const native = require("./native.js");
const { isObject, DOMString, integer, required, dictionary } = require("./webidl.js");
const { internal, onlyInternal, defineInterface } = require("./interface.js");

let isCertificate;
let nativeCertificate;

// §4.9.2
class RTCCertificate {
  #native;

  constructor(token = undefined, native) {
    onlyInternal(token);
    this.#native = native;
  }

  get expires() {
    return this.#native.expires();
  }

  getFingerprints() {
    return this.#native.getFingerprints();
  }

  static {
    isCertificate = value => #native in value;
    nativeCertificate = certificate => certificate.#native;
  }
}
defineInterface(RTCCertificate);

// §4.9.2, the deserialization steps: makes another object with the same certificate.
function cloneCertificate(certificate) {
  return new RTCCertificate(internal, nativeCertificate(certificate));
}

// §4.9.1. The dictionaries come from Web Cryptography §18.4.4 "normalize an algorithm", for
// generateKey.

const enforcedLong = integer(32, { mode: "enforce range" });

const RTCCertificateExpiration = dictionary("RTCCertificateExpiration", {
  expires: integer(64, { mode: "enforce range" }),
});
const algorithm = { name: required(DOMString) };
const Algorithm = dictionary("Algorithm", algorithm);
const EcKeyGenParams = dictionary("EcKeyGenParams", algorithm, { namedCurve: required(DOMString) });
const HashAlgorithmIdentifier = (value, what) =>
  isObject(value) ? Algorithm(value, what).name : DOMString(value);
const BigInteger = (value, what) => {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${what} is not a Uint8Array`);
  return Array.from(value);
};
const RsaHashedKeyGenParams = dictionary(
  "RsaHashedKeyGenParams",
  algorithm,
  {
    modulusLength: required(enforcedLong),
    publicExponent: required(BigInteger),
  },
  { hash: required(HashAlgorithmIdentifier) },
);

const parameters = new Map([
  ["ECDSA", EcKeyGenParams],
  ["RSASSA-PKCS1-V1_5", RsaHashedKeyGenParams],
]);

async function generateCertificate(keygenAlgorithm) {
  const given = isObject(keygenAlgorithm) ? keygenAlgorithm : { name: DOMString(keygenAlgorithm) };
  const expiration = RTCCertificateExpiration(given, "keygenAlgorithm");
  const { name } = Algorithm(given, "keygenAlgorithm");
  const convert = parameters.get(name.toUpperCase());
  const converted = convert === undefined ? { name } : convert(given, "keygenAlgorithm");
  return new RTCCertificate(
    internal,
    await native.generateCertificate({ ...converted, ...expiration }),
  );
}

module.exports = {
  RTCCertificate,
  isCertificate,
  nativeCertificate,
  cloneCertificate,
  generateCertificate,
};
