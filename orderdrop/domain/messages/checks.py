"""Why our checks deny an order."""

from __future__ import annotations

from typing import Final

from orderdrop.domain.codes import Code
from orderdrop.domain.messages.words import Words

CHECKS: Final[dict[Code, Words]] = {
    Code.PRICE_MISSING: Words(
        "限价委托没有价格", "a limit order without a price", "填写 price", "fill in the price"
    ),
    Code.PRICE_NOT_ALLOWED: Words(
        "{bound} 不能带价格 {value}",
        "{bound} takes no price, {value} given",
        "价格留空或填 0,或改为限价(1)",
        "leave the price empty or 0, or make it a limit order (1)",
    ),
    Code.ACCOUNT_MISSING: Words(
        "没有账号，而工作区有多个账号",
        "no account_id, and there are several accounts",
        "填写 account_id: {bound}",
        "fill in account_id: {bound}",
    ),
    Code.ACCOUNT_AS_NUMBER: Words(
        "账户 “{value}” 像是被表格软件或 pandas 当成了数字",
        "the account “{value}” looks like {bound} after a spreadsheet or pandas has made a number of it",
        "按文本写成 {bound}（pandas：dtype=str）",
        "write it as text, {bound} (pandas: dtype=str)",
    ),
    Code.ACCOUNT_UNKNOWN: Words(
        "账号 “{value}” 不在设置里",
        "the account “{value}” is not in the settings",
        "可用账号：{bound}",
        "known accounts: {bound}",
    ),
    Code.BOARD_UNKNOWN: Words(
        "{value} 不属于任何已知板块",
        "{value} belongs to no board we know",
        "核对代码和交易所",
        "check code and exchange",
    ),
    Code.SIDE_NOT_ALLOWED: Words(
        "{value} 只能 {bound}",
        "{value} allows only {bound}",
        "改变方向或代码",
        "change the side or the symbol",
    ),
    Code.CREDIT_ACCOUNT: Words(
        "{bound} 不做信用业务 {value}",
        "{bound} takes no credit order {value}",
        "改为 1 或 2,或用信用账户的通道(account_type = CREDIT)",
        "use 1 or 2, or an account whose gateway has account_type = CREDIT",
    ),
    Code.LOT_SIZE: Words(
        "数量 {value} 不符合每手规则：{bound}",
        "the volume {value} breaks the lot rule: {bound}",
        "调整数量",
        "change the volume",
    ),
    Code.LOT_MINIMUM: Words(
        "数量 {value} 低于最低 {bound}",
        "the volume {value} is below the minimum of {bound}",
        "调整数量",
        "change the volume",
    ),
    Code.VOLUME_MAXIMUM: Words(
        "数量 {value} 超过单笔上限 {bound}",
        "the volume {value} is above the maximum of {bound} for one order",
        "拆成多笔",
        "split the order",
    ),
    Code.PRICE_TICK: Words(
        "价格 {value} 不是最小变动价位 {bound} 的整数倍",
        "the price {value} is not a multiple of the tick {bound}",
        "调整价格",
        "change the price",
    ),
    Code.ORDER_TYPE_EXCHANGE: Words(
        "委托类型 {value} 不能用于 {bound}",
        "the order type {value} is not available on {bound}",
        "改为限价(1)",
        "use a limit order (1)",
    ),
    Code.CHECK_FAILED: Words(
        "检查 {column} 无法运行，按拒绝处理：{value}",
        "the check {column} could not run, so it denies: {value}",
        "查看日志并报告",
        "look into the log and report it",
    ),
    Code.HALTED: Words(
        "已暂停新委托(HALT)",
        "new orders are halted (HALT)",
        "orderdrop resume 后重新放入",
        "run orderdrop resume, then drop it again",
    ),
    Code.PRICE_LIMIT: Words(
        "价格 {value} 超出涨跌停 {bound}",
        "the price {value} is outside the day's limits {bound}",
        "改到范围内",
        "bring it inside",
    ),
    Code.PRICE_CAGE: Words(
        "价格 {value} 超出连续竞价有效申报范围 {bound}",
        "the price {value} is outside the cage of continuous trading, {bound}",
        "靠近最新价",
        "move it towards the last price",
    ),
    Code.LOT_ODD: Words(
        "零股须一次卖出：卖 {value},可卖 {bound}",
        "an odd lot is sold whole: selling {value} of {bound}",
        "卖整手，或连同零股全部卖出",
        "sell whole lots, or all of the odd rest with them",
    ),
    Code.REFERENCE_MISSING: Words(
        "没有 {value} 的昨收价，涨跌停未检查",
        "no previous close of {value}: the daily limit was not checked",
        "等终端给出，或写入 instruments.csv",
        "wait until the terminal tells it, or give it in instruments.csv",
    ),
    Code.REFERENCE_NEEDED: Words(
        "没有 {value} 的参考价，无法按 {bound} 检查",
        "no reference price of {value}, so this cannot be checked: {bound}",
        "写明价格，或在 instruments.csv 里给出昨收价或最新价",
        "give a price, or its previous close or last price in instruments.csv",
    ),
    Code.WORTH_UNKNOWN: Words(
        "没有 {value} 的参考价，金额限额按委托价计算，成交可能更高",
        "no reference price of {value}: limits in yuan count this sale at its own price, and it may bring more",
        "在 instruments.csv 里给出昨收价或最新价",
        "give its previous close or last price in instruments.csv",
    ),
    Code.SECURITY_SUSPENDED: Words(
        "终端说 {value} 今天停牌",
        "the terminal says that {value} is suspended today",
        "在终端核对；停牌期间券商多半拒单",
        "look into the terminal; most brokers refuse orders while it is suspended",
    ),
    Code.ST_UNKNOWN: Words(
        "不知道 {value} 是否 ST,按 {bound} 拒绝",
        "nobody knows whether {value} is ST, and {bound} forbids it",
        "在 instruments.csv 的 st 列写明 0 或 1",
        "say 0 or 1 in the column st of instruments.csv",
    ),
    Code.CALENDAR_UNKNOWN: Words(
        "不知道 {value} 年的交易日历，实盘停止",
        "nobody knows the trading days of {value}; live trading stops",
        'pip install ".[calendar]" 后运行 orderdrop calendar --write,或自己写 calendar.csv',
        'pip install ".[calendar]" and run orderdrop calendar --write, or write calendar.csv yourself',
    ),
    Code.DAY_CLOSED: Words(
        "{value} 休市",
        "{value} is no trading day",
        "交易日再下单；日历有误时改 [calendar]",
        "order on a trading day; mend [calendar] if it is wrong",
    ),
    Code.SESSION_CLOSED: Words(
        "现在是 {value},市场 {bound} 起接收",
        "it is {value}; the market takes it from {bound}",
        '到时再放入，或设 [calendar] outside_session = "hold"',
        'drop it then, or set [calendar] outside_session = "hold"',
    ),
    Code.SESSION_OVER: Words(
        "{value} 已过，今天市场不再接收这类委托",
        "it is {value}; the market takes no such order any more today",
        "下一交易日重新下单",
        "order again on the next trading day",
    ),
    Code.NOT_AFTER_PASSED: Words(
        "最早 {bound} 才能送出，晚于 not_after {value}",
        "it could leave at {bound} at the earliest, its not_after is {value}",
        "改 not_after 后重新放入",
        "change not_after and drop it again",
    ),
    Code.LIMIT_ORDER_VALUE: Words(
        "单笔金额 {value} 超过限额 {bound}",
        "the order is worth {value}, the limit is {bound}",
        "拆小，或修改该设置",
        "make it smaller, or change that setting",
    ),
    Code.LIMIT_ORDER_VOLUME: Words(
        "单笔数量 {value} 超过限额 {bound}",
        "the volume {value} is above the limit {bound}",
        "拆小，或修改该设置",
        "make it smaller, or change that setting",
    ),
    Code.LIMIT_DAY_VALUE: Words(
        "当日金额将达 {value},超过限额 {bound}",
        "the day's value would be {value}, the limit is {bound}",
        "减少委托，或修改该设置",
        "order less, or change that setting",
    ),
    Code.LIMIT_DAY_ORDERS: Words(
        "当日第 {value} 笔，超过限额 {bound}",
        "it would be order {value} of the day, the limit is {bound}",
        "减少委托，或修改该设置",
        "order less, or change that setting",
    ),
    Code.LIMIT_OPEN_ORDERS: Words(
        "未完成委托将达 {value} 笔，超过限额 {bound}",
        "there would be {value} open orders, the limit is {bound}",
        "先撤掉一些，或修改该设置",
        "cancel some first, or change that setting",
    ),
    Code.LIMIT_DEVIATION: Words(
        "价格 {value} 偏离参考价 {bound}",
        "the price {value} is too far from the reference {bound}",
        "核对价格，或修改该设置",
        "check the price, or change that setting",
    ),
    Code.LIMIT_SYMBOL: Words(
        "{value} 不许交易：{bound}",
        "{value} may not be traded: {bound}",
        "换代码，或修改该设置",
        "use another symbol, or change that setting",
    ),
    Code.LIMIT_SIDE: Words(
        "方向 {value} 不许：{bound}",
        "the side {value} is not allowed: {bound}",
        "改变方向，或修改该设置",
        "change the side, or that setting",
    ),
    Code.LIMIT_HOURS: Words(
        "{value} 不在允许的时段 {bound}",
        "{value} is outside the hours {bound}",
        "在时段内下单，或修改该设置",
        "order within them, or change that setting",
    ),
    Code.LIMIT_POSITION: Words(
        "持仓将达 {value},超过限额 {bound}",
        "the position would be {value}, the limit is {bound}",
        "减少数量，或修改该设置",
        "buy less, or change that setting",
    ),
    Code.LIMIT_POSITION_PERCENT: Words(
        "持仓占比将达 {value},超过限额 {bound}",
        "the position would be {value} of the assets, the limit is {bound}",
        "减少数量，或修改该设置",
        "buy less, or change that setting",
    ),
    Code.LIMIT_HOLDINGS: Words(
        "持仓将达 {value} 只，超过限额 {bound}",
        "there would be {value} holdings, the limit is {bound}",
        "先卖出，或修改该设置",
        "sell some first, or change that setting",
    ),
    Code.ACCOUNT_NOT_TOLD: Words(
        "还没有账户 {value} 今天的资金和持仓",
        "today's funds and holdings of the account {value} are not known yet",
        "确认终端已登录并有输出",
        "see that the terminal is logged in and writes them",
    ),
    Code.SNAPSHOT_OLD: Words(
        "资金快照已有 {value}(超过 {bound})",
        "the account's snapshot is {value} old, more than {bound}",
        "确认终端在更新",
        "see that the terminal goes on writing",
    ),
    Code.CASH_SHORT: Words(
        "需要 {value} 元，可用 {bound} 元",
        "{value} yuan are needed, {bound} are left",
        "减少数量或入金",
        "buy less, or pay in",
    ),
    Code.SHARES_SHORT: Words(
        "卖出 {value},可卖 {bound}",
        "selling {value}, {bound} can be sold today",
        "减少数量(当日买入的次日才能卖)",
        "sell less (what was bought today is sold tomorrow)",
    ),
    Code.CROSSES_OWN: Words(
        "价格 {value} 会与自己的反向委托 {bound} 成交",
        "at {value} it would trade with the account's own order at {bound}",
        "先撤掉那一笔",
        "cancel that one first",
    ),
    Code.REPEATED: Words(
        "与 {value} 相同，相隔不到 {bound}(脚本运行了两次？)",
        "the same as {value}, less than {bound} later (a script run twice?)",
        "确有需要时 orderdrop release;否则撤销",
        "orderdrop release if it is meant, else cancel it",
    ),
    Code.RATE_DAY: Words(
        "当日委托加撤单第 {value} 次，超过 {bound}",
        "it would be number {value} of today's orders and cancels, the most is {bound}",
        "今天不再下单，或修改该设置",
        "stop for today, or change that setting",
    ),
    Code.RATE_WAIT: Words(
        "排队约 {value},超过 {bound}",
        "it would wait about {value} for its turn, more than {bound}",
        "分批放入，或修改 [limits] max_wait",
        "drop it in parts, or change [limits] max_wait",
    ),
    Code.CANCEL_RATIO: Words(
        "撤单率 {value},达到 {bound}",
        "{value} orders were cancelled today, {bound} or more",
        "减少撤单；暂存的用 orderdrop release 放行",
        "cancel less; orderdrop release lets held orders go",
    ),
    Code.HALTED_SCOPE: Words(
        "已暂停：{value}",
        "halted: {value}",
        "orderdrop resume 后重新放入",
        "run orderdrop resume, then drop it again",
    ),
    Code.REDUCING: Words(
        "只许减仓：{value}",
        "only orders that reduce a position: {value}",
        "只卖出或买券还券，或 orderdrop resume",
        "sell what is held, or return what was sold short, or run orderdrop resume",
    ),
    Code.GATEWAY_CLOSED: Words(
        "通道 {value} 今天 {bound} 已收盘，终端的文件夹已清空，今天不再送单",
        "the gateway {value} was closed for today at {bound} and its terminal's folders are emptied: nothing goes out today any more",
        "次日用新的编号重新放入；今天还要交易：先重启终端，再 orderdrop resume --gateway {value}",
        "order again next day under a new sid; to go on today start the terminal anew, then orderdrop resume --gateway {value}",
    ),
    Code.GATEWAY_OTHER: Words(
        "账户 {value} 在设置里已不走通道 {bound}，未送出",
        "by the settings the account {value} does not use the gateway {bound} any more, so this was not sent",
        "用新的编号重新放入，或改回设置",
        "order again under a new sid, or put the settings back",
    ),
    Code.STRATEGY_UNKNOWN: Words(
        "设置里没有策略 {value}，策略限额不作用于它",
        "the settings name no strategy {value}, so no limit of a strategy binds this",
        "检查写法，或在 [strategies] 里写上它",
        "look at the spelling, or name it in [strategies]",
    ),
    Code.NOT_SENT: Words(
        "同一文件有问题行({value}),整份未发送",
        "not sent: another row of the file is bad ({value}), and a basket goes whole or not at all",
        "改好后整份重新放入，编号可不变",
        "mend the file and drop it again, the sids may stay",
    ),
}
