// hessian_allowlist in the release module: tricks; serializations, modes, responses, routes.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  DRAFT,
  dubboBody,
  FINISHED,
  int,
  NULL,
  overlong,
  sofaRequest,
  sofaResponse,
  string,
} from "./kit/hessian-wire.ts";
import { ALLOW, isDenied, isPassed, made, order, PERMISSION, suiteWorld, World } from "./hessian-world.ts";
import { CLASS } from "./proxy-world.ts";

describe("tricks", () => {
  const world = suiteWorld({ allow: ALLOW });
  const evil = "javax.naming.InitialContext";
  const denied = (status: number, what = ""): void => assert.ok(isDenied(status), `${what} ${status}`);
  /** Servers could read it differently: refused whatever is allowed. */
  const ambiguous = (status: number): void => assert.equal(status, 40);
  const passed = (status: number, what = ""): void => assert.ok(isPassed(status), `${what} ${status}`);
  const concurrent = (name: string): string => `concurrent.${name}`;

  for (const wire of [DRAFT, FINISHED]) {
    const sofa = (options: Parameters<typeof sofaRequest>[1], ...args: Buffer[]): number =>
      world().bolt(sofaRequest(wire, options, ...args));

    it(`${wire.name}: sofa-rpc's signatures name the classes of untyped maps`, () => {
      const fields = wire.map(undefined, string("a"), int(1));
      passed(sofa({ signatures: ["com.example.Order"] }, fields));
      passed(sofa({ signatures: ["int", "com.example.Order[]", "[[int"] }, int(1), fields, NULL));
      passed(sofa({ signatures: ["[B", "[[J", "[Lcom.example.Order;"] }, NULL, NULL, NULL));
      for (const name of ["B", "[V", "[A", "Lcom.example.Order;"]) denied(sofa({ signatures: [name] }, NULL));
      for (const name of [evil, `${evil}[]`, `[L${evil};`]) denied(sofa({ signatures: ["int", name] }, int(1), fields));
      denied(sofa({ sigs: wire.list("[string", wire.chunks("javax.naming.", "InitialContext")) }, fields));
      passed(sofa({ sigs: wire.list("[string", wire.chunks("java.lang.", "String")) }, NULL));
    });

    it(`${wire.name}: signatures that are somewhere else are not looked for`, () => {
      const names = wire.list("[string", string(evil));
      denied(sofa({ props: wire.map(undefined, string("k"), names), sigs: wire.reference(2) }, NULL));
      denied(sofa({ sigs: wire.list(undefined, wire.reference(0)) }, NULL));
      denied(sofa({ sigs: wire.map(undefined, int(0), string(evil)) }, NULL));
      denied(sofa({ sigs: string(evil) }, NULL));
      // Where it is no signature, a string may say what it wants.
      passed(sofa({ props: wire.map(undefined, string("k"), names) }, string(evil)));
    });

    it(`${wire.name}: a request as a map has signatures, too`, () => {
      const key = string("methodArgSigs");
      const request = (keyed: Buffer, names: Buffer): Buffer => wire.map(CLASS, keyed, names);
      const start = wire.define("com.example.Order");
      const send = (...parts: Buffer[]): number => world().bolt(Buffer.concat([start, wire.object(0), ...parts]));
      passed(send(request(key, wire.list("[string", string("com.example.Order")))));
      denied(send(request(key, wire.list("[string", string(evil)))));
      denied(send(request(string("methodArgSigs", overlong("methodArgSigs")), wire.list("[string", string(evil)))));
      denied(send(request(wire.chunks("method", "ArgSigs"), wire.list("[string", string(evil)))));
    });

    it(`${wire.name}: a class with two fields of signatures is refused`, () => {
      const twice = ["methodArgSigs", "methodArgSigs"];
      const good = wire.list("[string", string("int"));
      denied(world().bolt(Buffer.concat([wire.define(CLASS, twice), wire.object(0, good, good)])));
    });

    it(`${wire.name}: a name is the same however its characters are written`, () => {
      const spelled = (name: string): Buffer[] => [wire.define(name, [], overlong(name)), wire.object(1)];
      denied(sofa({}, ...spelled(evil)));
      passed(sofa({}, ...spelled("com.example.Order")));
      const long = `com.example.model.${"x".repeat(2000)}`;
      denied(sofa({}, wire.define(long), wire.object(1)));
    });

    it(`${wire.name}: numbers that point nowhere, lengths that nothing is behind, depth`, () => {
      denied(sofa({}, wire.reference(100)));
      denied(sofa({}, wire.object(1)));
      denied(sofa({}, wire.map(7)));
      denied(sofa({}, wire.object(0)));
      const bomb = wire.name === "draft" ? "V6c7fffffff" : "X497fffffff";
      denied(
        sofa({}, Buffer.concat([Buffer.from(bomb[0]), Buffer.from(bomb.slice(1), "hex"), Buffer.alloc(100, 0x90)])),
      );
      const deep = (n: number): Buffer =>
        Buffer.concat([
          ...Array.from({ length: n }, () => (wire.name === "draft" ? Buffer.from("V") : Buffer.from("W"))),
          ...Array.from({ length: n }, () => Buffer.from(wire.name === "draft" ? "z" : "Z")),
        ]);
      passed(sofa({}, deep(2000)));
      denied(sofa({}, deep(3000)));
      const many = Array.from({ length: 5000 }, (_, i) => wire.define(`com.example.model.C${i}`));
      denied(sofa({}, ...many, NULL));
      denied(sofa({}, NULL, wire.define("com.example.Order")));
    });

    it(`${wire.name}: several arguments, definitions between them`, () => {
      const args = [order(wire), wire.object(1, int(1)), wire.object(1, string("x")), wire.map(undefined)];
      passed(sofa({}, ...args));
      denied(sofa({}, ...args, wire.define(evil), wire.object(2)));
      denied(sofa({ props: wire.map(undefined, string("k"), made(wire, evil, 1)) }, ...args));
    });
  }

  it("what begins with no definition has to be harmless in both versions", async () => {
    // A map without a type for one library, with the type "a" for the other.
    const ambiguous = Buffer.concat([Buffer.from("M"), string("a"), string("b"), Buffer.from("z")]);
    const finished = FINISHED.map(evil, string("a"), string("b"));
    denied(world().bolt(ambiguous));
    denied(world().bolt(finished));
    passed(world().bolt(Buffer.concat([string("plain"), int(1), NULL])));
    const three = await World.start({ allow: ALLOW, sofa_hessian: "3" });
    passed(three.bolt(ambiguous));
    denied(three.bolt(sofaRequest(FINISHED, {}, NULL)));
    three.close();
    const four = await World.start({ allow: ALLOW, sofa_hessian: "4" });
    passed(four.bolt(sofaRequest(FINISHED, {}, NULL)));
    denied(four.bolt(sofaRequest(DRAFT, {}, NULL)));
    four.close();
  });

  it("Bolt's own header names a class", () => {
    denied(world().bolt(NULL, { class: evil }));
    passed(world().bolt(NULL, { class: "com.example.Order" }));
    passed(world().bolt(NULL, { class: "" }));
  });

  it("Dubbo's descriptor names the classes of untyped maps", () => {
    const fields = FINISHED.map(undefined, string("a"), int(1));
    const send = (types: string, ...args: Buffer[]): number => world().dubbo(dubboBody({ types }, ...args));
    passed(send("Lcom/example/Order;", fields));
    passed(send("I[[JLcom/example/model/deep/X;[Lcom/example/Order;", int(1), NULL, fields, NULL));
    denied(send("Ljavax/naming/InitialContext;", fields));
    denied(send("I[Ljavax/naming/InitialContext;", int(1), fields));
    // Dubbo's pattern finds the second class in each of these.
    denied(send("Lcom/example/model/X-Ljavax/naming/InitialContext;", fields));
    denied(send("Lcom.example.model.Ljavax/naming/InitialContext;", fields));
  });

  it("Dubbo's attachments are a part of the stream", () => {
    const types = "Ljava/lang/String;";
    const attachments = (value: Buffer): Buffer => FINISHED.map(undefined, string("k"), value);
    passed(world().dubbo(dubboBody({ types, attachments: attachments(string("v")) }, NULL)));
    denied(world().dubbo(dubboBody({ types, attachments: attachments(made(FINISHED, evil, 0)) }, NULL)));
    denied(world().dubbo(dubboBody({ types, attachments: FINISHED.map(evil) }, NULL)));
    denied(world().dubbo(Buffer.concat([dubboBody({ types }, NULL), made(FINISHED, evil, 0)])));
  });

  describe("Dubbo's generic calls", () => {
    const types = "Ljava/lang/String;[Ljava/lang/String;[Ljava/lang/Object;";
    const bean = "org.apache.dubbo.common.beanutil.JavaBeanDescriptor";
    interface Call {
      method?: string;
      spelled?: Buffer;
      generic?: Buffer;
      key?: Buffer;
      names?: Buffer;
      to?: World;
    }
    const call = (value: Buffer, options: Call = {}): number => {
      const { method = "$invoke", generic = string("true"), names = FINISHED.list("[string") } = options;
      const attachments = FINISHED.map(undefined, options.key ?? string("generic"), generic);
      const args = [string("hi"), names, FINISHED.list("[object", value)];
      const plain = dubboBody({ method, types, attachments }, ...args);
      const at = plain.indexOf(string(method));
      const rest = plain.subarray(at + string(method).length);
      const { spelled = Buffer.from(method), to = world() } = options;
      return to.dubbo(Buffer.concat([plain.subarray(0, at), string(method, spelled), rest]));
    };
    const map = (name: Buffer, key = string("class")): Buffer =>
      FINISHED.map(undefined, string("x"), int(1), key, name, string("y"), int(2));
    const object = (name: string, fields: string[], ...values: Buffer[]): Buffer =>
      Buffer.concat([FINISHED.define(name, fields), FINISHED.object(0, ...values)]);

    it("name classes in maps", () => {
      passed(call(map(string("com.example.Order"))));
      passed(call(map(int(3))));
      for (const key of [string("class"), string("class", overlong("class")), FINISHED.chunks("cl", "ass")]) {
        denied(call(map(string(evil), key)));
        denied(call(map(FINISHED.chunks("javax.naming", ".InitialContext"), key), { method: "$invokeAsync" }));
        passed(call(map(string(evil), key), { method: "hi" }));
      }
    });

    it("name them in objects that are read as maps: of maps, and of classes that the server lacks", () => {
      for (const name of ["java.util.HashMap", "java.util.Collections$SingletonMap", "com.example.model.NotThere"]) {
        denied(call(object(name, ["x", "class"], int(1), string(evil))), name);
        passed(call(object(name, ["x", "class"], int(1), string("com.example.Order"))), name);
        passed(call(object(name, ["x", "class"], int(1), string(evil)), { method: "hi" }), name);
        denied(call(object(name, ["class", "class"], string("com.example.Order"), string("com.example.Order"))), name);
      }
    });

    it("are generic however the method is spelled", () => {
      for (const method of ["$invoke", "$invokeAsync"]) {
        ambiguous(call(map(string(evil)), { method, spelled: overlong(method) }));
        ambiguous(
          call(map(string(evil)), { method, spelled: Buffer.concat([overlong("$"), Buffer.from(method.slice(1))]) }),
        );
      }
    });

    it("name the types of the arguments, which the server loads", () => {
      const listed = (...names: string[]): Buffer => FINISHED.list("[string", ...names.map((name) => string(name)));
      passed(call(NULL, { names: listed("int", "com.example.Order[]", "[Lcom.example.Order;") }));
      passed(call(NULL, { names: NULL }));
      denied(call(NULL, { names: listed("int", evil) }));
      denied(call(NULL, { names: FINISHED.map(undefined, int(0), string(evil)) }));
    });

    it("carry other serializations if their attachments say so", async () => {
      const lenient = await World.start({ allow: ALLOW, other: "pass" });
      for (const generic of ["nativejava", "NativeJava", "gson", "GSON", "protobuf-json", "protobuf", "x"]) {
        denied(call(NULL, { generic: string(generic) }));
        denied(call(NULL, { generic: string(generic, overlong(generic)) }));
        passed(call(NULL, { generic: string(generic), to: lenient }));
        passed(call(NULL, { generic: string(generic), method: "hi" }));
        for (const key of [string("generic", overlong("generic")), FINISHED.chunks("gen", "eric")]) {
          ambiguous(call(NULL, { key, generic: string(generic), to: lenient }));
        }
      }
      lenient.close();
      for (const generic of ["true", "TRUE", "bean", "raw.return", "false", ""]) {
        passed(call(NULL, { generic: string(generic) }));
        denied(call(map(string(evil)), { generic: string(generic) }));
      }
      passed(call(FINISHED.map(undefined, string("generic"), string("data"))));
    });

    it("name classes in Dubbo's beans, where those may be at all", async () => {
      const beans = await World.start({ allow: [...ALLOW, bean] });
      const described = (name: string, kind: number, properties: Buffer): Buffer =>
        object(bean, ["className", "type", "properties"], string(name), int(kind), properties);
      const send = (value: Buffer, to = beans): number => call(value, { generic: string("bean"), to });
      const none = FINISHED.map(undefined);
      passed(send(described("com.example.Order", 7, none)));
      denied(send(described(evil, 7, none)));
      denied(send(described("com.example.Order", 7, none), world()));
      const inner = Buffer.concat([string("a"), FINISHED.object(0, string(evil), int(7), none)]);
      denied(send(described("com.example.Order", 7, FINISHED.map(undefined, inner))));
      // One that stands for a class has its name among the properties.
      denied(send(described("java.lang.Class", 1, FINISHED.map(undefined, string("name"), string(evil)))));
      denied(send(FINISHED.map(bean, string("className"), string(evil))));
      beans.close();
    });

    it("are answered with what names classes, too", async () => {
      const thrown = object("org.apache.dubbo.rpc.service.GenericException", ["exceptionClass"], string(evil));
      for (const answer of [map(string(evil)), thrown, object("java.util.HashMap", ["class"], string(evil))]) {
        const to = await World.start({ allow: ALLOW, responses: true }, { answer });
        denied(call(NULL, { to }));
        if (answer !== thrown) passed(call(NULL, { method: "hi", to }));
        to.close();
      }
    });
  });

  it("an object of java.lang.Class may name what is on the list", () => {
    for (const wire of [DRAFT, FINISHED]) {
      const named = (name: string): number =>
        world().bolt(sofaRequest(wire, {}, wire.define("java.lang.Class", ["name"]), wire.object(1, string(name))));
      passed(named("com.example.Order"));
      denied(named(evil));
      denied(world().bolt(sofaRequest(wire, {}, wire.map("java.lang.Class", string("name"), string(evil)))));
    }
  });

  it("the JDK's harmless collections pass", () => {
    const names = [
      ...["ArrayDeque", "BitSet", "EnumMap", "EnumSet", "EnumSet$SerializationProxy", "JumboEnumSet", "LinkedHashMap"],
      ...["RegularEnumSet", "Stack", "TreeMap", "Vector", "WeakHashMap", "AbstractMap$SimpleEntry", "CollSer"],
      ...["List", "Set", "Map"].flatMap((kind) =>
        [`Empty${kind}`, `Singleton${kind}`].map((name) => `Collections$${name}`),
      ),
      ...["Collection", "List", "Map", "NavigableMap", "NavigableSet", "Set", "SortedMap", "SortedSet"].flatMap(
        (kind) => ["Checked", "Synchronized", "Unmodifiable"].map((view) => `Collections$${view}${kind}`),
      ),
      ...["ArrayBlockingQueue", "ConcurrentHashMap", "ConcurrentLinkedDeque", "ConcurrentLinkedQueue"].map(concurrent),
      ...["ConcurrentSkipListMap", "ConcurrentSkipListSet", "CopyOnWriteArrayList", "LinkedBlockingDeque"].map(
        concurrent,
      ),
      ...["LinkedBlockingQueue", "LinkedTransferQueue"].map(concurrent),
    ];
    for (const name of names) {
      passed(world().dubbo(dubboBody({}, made(FINISHED, `java.util.${name}`, 0))));
      passed(world().bolt(sofaRequest(DRAFT, {}, DRAFT.list(`java.util.${name}`))));
    }
    for (const name of ["PriorityQueue", "ServiceLoader$LazyIterator", "Timer", "concurrent.ForkJoinPool"])
      denied(world().dubbo(dubboBody({}, made(FINISHED, `java.util.${name}`, 0))));
  });
});

describe("modes", () => {
  const evil = "javax.naming.InitialContext";
  const bad = sofaRequest(DRAFT, {}, made(DRAFT, evil, 1));

  it("report lets everything pass and counts it", async () => {
    const world = await World.start({ mode: "report" });
    assert.equal(world.bolt(bad), 0);
    assert.equal(world.bolt(Buffer.from("garbage")), 0);
    assert.equal(world.bolt(Buffer.from("{}"), { codec: 12 }), 0);
    assert.equal(world.dubbo(dubboBody({}, made(FINISHED, evil, 0))), 20);
    assert.equal(world.count("reported"), 4);
    assert.equal(world.count("denied"), 0);
    assert.equal(world.count("failures"), 1);
    assert.equal(world.count("other"), 1);
    assert.equal(world.count(`class.${evil}.in.request.reported`), 2);
    world.close();
  });

  it("other serializations are denied unless they may pass; nothing is always good", async () => {
    const strict = await World.start({});
    const lenient = await World.start({ other: "pass" });
    for (const codec of [0, 2, 11, 12, 13]) {
      assert.equal(strict.bolt(Buffer.from("{}"), { codec }), PERMISSION.bolt);
      assert.equal(strict.bolt(Buffer.alloc(0), { codec }), 0);
      assert.equal(lenient.bolt(Buffer.from("{}"), { codec }), 0);
    }
    assert.equal(strict.dubbo(Buffer.from("x"), 0xd7), PERMISSION.dubbo);
    assert.equal(lenient.dubbo(Buffer.from("x"), 0xd7), 20);
    assert.equal(lenient.bolt(bad), PERMISSION.bolt);
    // The class in Bolt's header is looked at whatever the serialization.
    assert.equal(lenient.bolt(Buffer.from("{}"), { codec: 12, class: evil }), PERMISSION.bolt);
    assert.equal(strict.count("other"), 6);
    assert.equal(lenient.count("other"), 0);
    strict.close();
    lenient.close();
  });

  it("a route has a list of its own", async () => {
    const world = await World.start({}, { routed: { allow: [evil] } });
    assert.equal(world.bolt(bad), PERMISSION.bolt);
    assert.equal(world.bolt(bad, { headers: [["route", "own"]] }), 0);
    world.close();
  });

  it("without what is built in, nothing is but the list", async () => {
    const world = await World.start({ builtin: false, allow: ["com.alipay.sofa.rpc.core.request.*", "string"] });
    assert.equal(world.bolt(sofaRequest(DRAFT, { signatures: [] }, int(1))), 0);
    assert.equal(world.bolt(sofaRequest(DRAFT, {}, int(1))), PERMISSION.bolt);
    world.close();
  });

  it("responses are looked at if asked for", async () => {
    const answer = sofaResponse(DRAFT, made(DRAFT, evil, 1));
    for (const responses of [false, true]) {
      const world = await World.start({ responses }, { answer });
      assert.equal(world.bolt(sofaRequest(DRAFT, {}, NULL)), responses ? PERMISSION.bolt : 0);
      assert.equal(world.sent, 1);
      assert.equal(world.count(`class.${evil}.in.response.denied`), responses ? 1 : 0);
      world.close();
    }
    const good = await World.start(
      { responses: true },
      { answer: sofaResponse(DRAFT, DRAFT.map("java.util.TreeMap")) },
    );
    assert.equal(good.bolt(sofaRequest(DRAFT, {}, NULL)), 0);
    // An answer of the proxy's own is not looked at: it names a class of the protocol's.
    assert.equal(good.bolt(bad), PERMISSION.bolt);
    assert.equal(good.count("denied"), 1);
    good.close();
    const dubbos = await World.start({ responses: true }, { answer: made(FINISHED, evil, 0) });
    assert.equal(dubbos.dubbo(dubboBody({}, NULL)), PERMISSION.dubbo);
    dubbos.close();
  });
});
