{#- Macros shared by the decoding views.

An OTLP AnyValue arrives as a tuple of Nullable columns, one per member of the oneof (presence of 0,
false and '' survives), and leaves as the text the Collector's clickhouseexporter would store
(pdata v1.67.0 Value.AsString): Go's float format, and arrays as Go's JSON without HTML escapes. Maps and
nested arrays were rewritten to JSON strings before the log (spanloop.receiver.complex_values). -#}

{%- macro scalar() -%}
string_value Nullable(String), bool_value Nullable(Bool), int_value Nullable(Int64), double_value Nullable(Float64), bytes_value Nullable(String)
{%- endmacro %}

{%- macro any_value() -%}
Tuple({{ scalar() }}, array_value Tuple(values Array(Tuple({{ scalar() }}))))
{%- endmacro %}

{%- macro key_values() -%}
Array(Tuple(key String, value {{ any_value() }}))
{%- endmacro %}

{#- Go prints 1e+21 where ClickHouse prints 1e21. -#}
{%- macro go_double(d) -%}
if(isFinite({{ d }}), replaceRegexpOne(toString({{ d }}), 'e([0-9])', 'e+\\1'), multiIf(isNaN({{ d }}), 'NaN', {{ d }} > 0, 'Infinity', '-Infinity'))
{%- endmacro %}

{%- macro scalar_json(x) -%}
multiIf(
  isNotNull({{ x }}.string_value), replaceAll(toJSONString(toValidUTF8(assumeNotNull({{ x }}.string_value))), '\\/', '/'),
  isNotNull({{ x }}.int_value), toString(assumeNotNull({{ x }}.int_value)),
  isNotNull({{ x }}.double_value), {{ go_double('assumeNotNull(' ~ x ~ '.double_value)') }},
  isNotNull({{ x }}.bool_value), if(assumeNotNull({{ x }}.bool_value), 'true', 'false'),
  notEmpty(ifNull({{ x }}.bytes_value, '')), concat('"', base64Encode(assumeNotNull({{ x }}.bytes_value)), '"'),
  'null')
{%- endmacro %}

{#- An array that holds NaN or an infinity is one that Go's encoder refuses as a whole: the text is empty. -#}
{%- macro array_json(values) -%}
if(arrayExists(x -> not isFinite(ifNull(x.double_value, 0)), {{ values }}), '', concat('[', arrayStringConcat(arrayMap(x -> {{ scalar_json('x') }}, {{ values }}), ','), ']'))
{%- endmacro %}

{%- macro as_text(v) -%}
multiIf(
  isNotNull({{ v }}.string_value), assumeNotNull({{ v }}.string_value),
  isNotNull({{ v }}.int_value), toString(assumeNotNull({{ v }}.int_value)),
  isNotNull({{ v }}.double_value), {{ go_double('assumeNotNull(' ~ v ~ '.double_value)') }},
  isNotNull({{ v }}.bool_value), if(assumeNotNull({{ v }}.bool_value), 'true', 'false'),
  notEmpty({{ v }}.array_value.values), {{ array_json(v ~ '.array_value.values') }},
  isNotNull({{ v }}.bytes_value), base64Encode(assumeNotNull({{ v }}.bytes_value)),
  '')
{%- endmacro %}

{#- The exporter sorts its maps by key (clickhouse-go's orderedmap), so equal attributes are equal values. -#}
{%- macro attributes(a) -%}
mapSort(CAST(arrayMap(kv -> (kv.1, {{ as_text('kv.2') }}), {{ a }}), 'Map(LowCardinality(String), String)'))
{%- endmacro %}

{#- Ids as the exporter prints them: lower-case hex, '' when absent or all zero. -#}
{%- macro hex_id(id) -%}
if(empty(replaceAll({{ id }}, '\0', '')), '', lower(hex({{ id }})))
{%- endmacro %}

{%- macro timestamp(ns) -%}
fromUnixTimestamp64Nano(toInt64({{ ns }}))
{%- endmacro %}

{#- 1 where a time stamp cannot be kept as it is: absent, further ahead than a day, or already older than the retention. -#}
{%- macro absurd(ns) -%}
({{ ns }} = 0 OR {{ ns }} > received_time + 86400000000000{% if ttl_seconds %} OR {{ ns }} + {{ ttl_seconds }}000000000 < received_time{% endif %})
{%- endmacro %}

{%- macro clamped(ns) -%}
if({{ absurd(ns) }}, received_time, {{ ns }})
{%- endmacro %}

{#- One row per data point of one metric type: the columns every metrics table begins and ends with. -#}
{%- macro metric_head() -%}
    ResourceAttributes,
    resource_schema_url AS ResourceSchemaUrl,
    scope.name AS ScopeName,
    scope.version AS ScopeVersion,
    ScopeAttributes,
    scope.dropped_attributes_count AS ScopeDroppedAttrCount,
    scope_schema_url AS ScopeSchemaUrl,
    ResourceAttributes['service.name'] AS ServiceName,
    metric_name AS MetricName,
    metric_description AS MetricDescription,
    metric_unit AS MetricUnit,
    if({{ absurd('point.time_unix_nano') }},
       mapSort(mapConcat({{ attributes('point.attributes') }}, CAST(map('spanloop.original_time_unix_nano', toString(point.time_unix_nano)), 'Map(LowCardinality(String), String)'))),
       {{ attributes('point.attributes') }}) AS Attributes,
    {{ metric_time('point.start_time_unix_nano') }} AS StartTimeUnix,
    {{ metric_time(clamped('point.time_unix_nano')) }} AS TimeUnix
{%- endmacro %}

{%- macro metric_tail() -%}
    lower(hex(batch_id)) AS BatchId,
    {{ timestamp('received_time') }} AS ReceivedTime,
    project AS Project
{%- endmacro %}

{%- macro exemplars() -%}
    arrayMap(e -> {{ attributes('e.filtered_attributes') }}, point.exemplars) AS `Exemplars.FilteredAttributes`,
    arrayMap(e -> {{ metric_time('e.time_unix_nano') }}, point.exemplars) AS `Exemplars.TimeUnix`,
    arrayMap(e -> coalesce(e.as_double, toFloat64(e.as_int), 0.), point.exemplars) AS `Exemplars.Value`,
    arrayMap(e -> leftPad(lower(hex(e.span_id)), 16, '0'), point.exemplars) AS `Exemplars.SpanId`,
    arrayMap(e -> leftPad(lower(hex(e.trace_id)), 32, '0'), point.exemplars) AS `Exemplars.TraceId`
{%- endmacro %}

{#- Metric times are DateTime in the exporter's tables: whole seconds. -#}
{%- macro metric_time(ns) -%}
toDateTime(least(intDiv({{ ns }}, 1000000000), 4294967295))
{%- endmacro %}

{%- macro metric_points(kind, extra='') -%}
FROM (
    SELECT
        batch_id, received_time, project, ResourceAttributes, resource_schema_url, ScopeAttributes, scope_schema_url, scope,
        metric.name AS metric_name, metric.description AS metric_description, metric.unit AS metric_unit,
        {% if extra %}{{ extra }},{% endif %} arrayJoin(metric.{{ kind }}.data_points) AS point
    FROM (
        SELECT
            batch_id, received_time, project, ResourceAttributes, resource_schema_url,
            {{ attributes('sm.scope.attributes') }} AS ScopeAttributes,
            sm.schema_url AS scope_schema_url, sm.scope AS scope, arrayJoin(sm.metrics) AS metric
        FROM (
            SELECT
                batch_id, received_time, project,
                {{ attributes('rm.resource.attributes') }} AS ResourceAttributes,
                rm.schema_url AS resource_schema_url, arrayJoin(rm.scope_metrics) AS sm
            FROM (SELECT batch_id, received_time, project, arrayJoin(resource_metrics) AS rm FROM {{ table('otlp_metrics_in') }}))))
{%- endmacro %}
