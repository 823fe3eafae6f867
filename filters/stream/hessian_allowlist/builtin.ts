// Classes that Hessian's own libraries and the protocols need, and values of the JDK that do nothing when they are read: no
// call goes out, nothing of theirs is run, what they hold is checked by itself. Interfaces are what arguments are declared as.
import { ClassSet } from "./class_set";

/** Names of Hessian itself (SerializerFactory of hessian-lite and sofa-hessian) and of sofa-rpc's signatures. */
const BASIC: string[] = [
  "void",
  "boolean",
  "byte",
  "short",
  "int",
  "long",
  "float",
  "double",
  "char",
  "string",
  "object",
  "date",
];

const LANG: string[] = [
  "java.lang.Boolean",
  "java.lang.Byte",
  "java.lang.Character",
  "java.lang.Double",
  "java.lang.Enum",
  "java.lang.Float",
  "java.lang.Integer",
  "java.lang.Long",
  "java.lang.Number",
  "java.lang.Object",
  "java.lang.Short",
  "java.lang.StackTraceElement",
  "java.lang.String",
  "java.lang.StringBuffer",
  "java.lang.StringBuilder",
  "java.lang.Void",
  "java.math.BigDecimal",
  "java.math.BigInteger",
  "java.math.RoundingMode",
];

const UTIL: string[] = [
  "java.util.ArrayDeque",
  "java.util.ArrayList",
  "java.util.Arrays$ArrayList",
  "java.util.Collection",
  "java.util.Collections$EmptyList",
  "java.util.Collections$EmptyMap",
  "java.util.Collections$EmptySet",
  "java.util.Collections$SingletonList",
  "java.util.Collections$SingletonMap",
  "java.util.Collections$SingletonSet",
  "java.util.Collections$SynchronizedList",
  "java.util.Collections$SynchronizedMap",
  "java.util.Collections$SynchronizedRandomAccessList",
  "java.util.Collections$SynchronizedSet",
  "java.util.Collections$UnmodifiableCollection",
  "java.util.Collections$UnmodifiableList",
  "java.util.Collections$UnmodifiableMap",
  "java.util.Collections$UnmodifiableRandomAccessList",
  "java.util.Collections$UnmodifiableSet",
  "java.util.Currency",
  "java.util.Date",
  "java.util.Deque",
  "java.util.HashMap",
  "java.util.HashSet",
  "java.util.Hashtable",
  "java.util.IdentityHashMap",
  "java.util.ImmutableCollections$List12",
  "java.util.ImmutableCollections$ListN",
  "java.util.ImmutableCollections$Map1",
  "java.util.ImmutableCollections$MapN",
  "java.util.ImmutableCollections$Set12",
  "java.util.ImmutableCollections$SetN",
  "java.util.Iterator",
  "java.util.LinkedHashMap",
  "java.util.LinkedHashSet",
  "java.util.LinkedList",
  "java.util.List",
  "java.util.Locale",
  "java.util.Map",
  "java.util.NavigableMap",
  "java.util.NavigableSet",
  "java.util.Optional",
  "java.util.Properties",
  "java.util.Queue",
  "java.util.Set",
  "java.util.SortedMap",
  "java.util.SortedSet",
  "java.util.Stack",
  "java.util.TreeMap",
  "java.util.TreeSet",
  "java.util.UUID",
  "java.util.Vector",
  "java.util.concurrent.ConcurrentHashMap",
  "java.util.concurrent.ConcurrentMap",
  "java.util.concurrent.CopyOnWriteArrayList",
  "java.util.concurrent.CopyOnWriteArraySet",
  "java.util.concurrent.TimeUnit",
  "java.util.concurrent.atomic.AtomicBoolean",
  "java.util.concurrent.atomic.AtomicInteger",
  "java.util.concurrent.atomic.AtomicIntegerArray",
  "java.util.concurrent.atomic.AtomicLong",
  "java.util.concurrent.atomic.AtomicLongArray",
];

const TIME: string[] = [
  "java.sql.Date",
  "java.sql.Time",
  "java.sql.Timestamp",
  "java.time.DayOfWeek",
  "java.time.Duration",
  "java.time.Instant",
  "java.time.LocalDate",
  "java.time.LocalDateTime",
  "java.time.LocalTime",
  "java.time.Month",
  "java.time.MonthDay",
  "java.time.OffsetDateTime",
  "java.time.OffsetTime",
  "java.time.Period",
  "java.time.Year",
  "java.time.YearMonth",
  "java.time.ZoneId",
  "java.time.ZoneOffset",
  "java.time.ZoneRegion",
  "java.time.ZonedDateTime",
  "java.util.Calendar",
  "java.util.GregorianCalendar",
];

const EXCEPTIONS: string[] = [
  "java.io.EOFException",
  "java.io.FileNotFoundException",
  "java.io.IOException",
  "java.io.UncheckedIOException",
  "java.lang.ArithmeticException",
  "java.lang.ArrayIndexOutOfBoundsException",
  "java.lang.AssertionError",
  "java.lang.ClassCastException",
  "java.lang.ClassNotFoundException",
  "java.lang.CloneNotSupportedException",
  "java.lang.Error",
  "java.lang.Exception",
  "java.lang.IllegalAccessException",
  "java.lang.IllegalArgumentException",
  "java.lang.IllegalStateException",
  "java.lang.IndexOutOfBoundsException",
  "java.lang.InterruptedException",
  "java.lang.NoClassDefFoundError",
  "java.lang.NoSuchFieldException",
  "java.lang.NoSuchMethodException",
  "java.lang.NullPointerException",
  "java.lang.NumberFormatException",
  "java.lang.OutOfMemoryError",
  "java.lang.RuntimeException",
  "java.lang.SecurityException",
  "java.lang.StackOverflowError",
  "java.lang.StringIndexOutOfBoundsException",
  "java.lang.Throwable",
  "java.lang.UnsupportedOperationException",
  "java.lang.reflect.InvocationTargetException",
  "java.lang.reflect.UndeclaredThrowableException",
  "java.net.ConnectException",
  "java.net.SocketTimeoutException",
  "java.sql.SQLException",
  "java.time.DateTimeException",
  "java.util.ConcurrentModificationException",
  "java.util.InputMismatchException",
  "java.util.MissingResourceException",
  "java.util.NoSuchElementException",
  "java.util.concurrent.CancellationException",
  "java.util.concurrent.CompletionException",
  "java.util.concurrent.ExecutionException",
  "java.util.concurrent.RejectedExecutionException",
  "java.util.concurrent.TimeoutException",
];

/** Envelopes and exceptions of the frameworks. Generic containers that name classes in strings are not among them. */
const FRAMEWORKS: string[] = [
  "com.alibaba.dubbo.rpc.RpcException",
  "com.alibaba.dubbo.rpc.service.GenericException",
  "com.alipay.remoting.exception.CodecException",
  "com.alipay.remoting.exception.DeserializationException",
  "com.alipay.remoting.exception.RemotingException",
  "com.alipay.remoting.exception.SerializationException",
  "com.alipay.remoting.rpc.exception.RpcServerException",
  "com.alipay.sofa.rpc.core.exception.RpcErrorType",
  "com.alipay.sofa.rpc.core.exception.SofaRpcException",
  "com.alipay.sofa.rpc.core.exception.SofaRpcRuntimeException",
  "com.alipay.sofa.rpc.core.exception.SofaTimeOutException",
  "com.alipay.sofa.rpc.core.request.SofaRequest",
  "com.alipay.sofa.rpc.core.response.SofaResponse",
  "org.apache.dubbo.remoting.RemotingException",
  "org.apache.dubbo.remoting.TimeoutException",
  "org.apache.dubbo.rpc.RpcException",
  "org.apache.dubbo.rpc.service.GenericException",
];

/** Stand-ins that the libraries write for classes of the JDK; each is in `io` or `io.java8` of both libraries. */
const HANDLES: string[] = [
  "ByteHandle",
  "CalendarHandle",
  "FloatHandle",
  "LocaleHandle",
  "ShortHandle",
  "java8.DurationHandle",
  "java8.InstantHandle",
  "java8.LocalDateHandle",
  "java8.LocalDateTimeHandle",
  "java8.LocalTimeHandle",
  "java8.MonthDayHandle",
  "java8.OffsetDateTimeHandle",
  "java8.OffsetTimeHandle",
  "java8.PeriodHandle",
  "java8.YearHandle",
  "java8.YearMonthHandle",
  "java8.ZoneIdHandle",
  "java8.ZoneOffsetHandle",
  "java8.ZonedDateTimeHandle",
];

/** The names of all. */
export function builtinNames(): string[] {
  const names = BASIC.concat(LANG).concat(UTIL).concat(TIME).concat(EXCEPTIONS).concat(FRAMEWORKS);
  for (let i = 0; i < HANDLES.length; i++) {
    names.push("com.alibaba.com.caucho.hessian.io." + HANDLES[i]);
    names.push("com.caucho.hessian.io." + HANDLES[i]);
  }
  return names;
}

let set: ClassSet | null = null;

/** All of them, made once. */
export function builtin(): ClassSet {
  const known = set;
  if (known !== null) return known;
  const made = new ClassSet(builtinNames());
  set = made;
  return made;
}
