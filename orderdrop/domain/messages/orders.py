"""The sentences of an order's result: held, cancelled, in doubt, repeated, rejected by the broker."""

from __future__ import annotations

from typing import Final

from orderdrop.domain.codes import Code
from orderdrop.domain.messages.words import Words

ORDERS: Final[dict[Code, Words]] = {
    Code.HELD: Words(
        "按设置暂存（{bound}），放行前不会送出",
        "held by the settings ({bound}), it does not go before it is released",
        "orderdrop release {value}",
        "orderdrop release {value}",
    ),
    Code.HELD_SESSION: Words(
        "暂存到 {value},现在是 {bound}",
        "held until {value}; now it is {bound}",
        "无需处理，到时自动送出",
        "nothing to do, it goes by itself",
    ),
    Code.HELD_NOT_BEFORE: Words(
        "按 not_before 暂存到 {value}",
        "held until {value}, as not_before asks",
        "无需处理，到时自动送出",
        "nothing to do, it goes by itself",
    ),
    Code.HELD_SWITCH: Words(
        "开关关闭时在排队，已暂存：{value}",
        "it was waiting when this was switched off: {value}",
        "orderdrop resume,然后 orderdrop release",
        "run orderdrop resume, then orderdrop release",
    ),
    Code.CANCEL_CLOSED: Words(
        "{value} 交易所不接受撤单",
        "the exchange takes no cancels now: {value}",
        "{bound} 之后再撤",
        "cancel again after {bound}",
    ),
    Code.CANCELED_HERE: Words(
        "已撤销，柜台从未收到这笔委托", "cancelled here, the broker never had it", "无需处理", "nothing to do"
    ),
    Code.CANCEL_FINISHED: Words(
        "{value} 已是终态 {bound},无法撤单",
        "{value} is already {bound} and cannot be cancelled",
        "无需处理",
        "nothing to do",
    ),
    Code.CANCEL_REJECTED: Words(
        "柜台拒绝撤单：{value}", "the broker refused the cancel: {value}", "稍后重试", "try again later"
    ),
    Code.RELEASE_NOT_HELD: Words(
        "{value} 不在暂存状态({bound})", "{value} is not held ({bound})", "无需处理", "nothing to do"
    ),
    Code.CANCEL_WAITS: Words(
        "委托还没有确认，确认后立即撤单",
        "the order is not confirmed yet; the cancel goes as soon as it is",
        "无需操作",
        "nothing to do",
    ),
    Code.CANCEL_EARLY: Words(
        "还没有编号为 “{value}” 的委托，撤单等它，等到今日结束",
        "there is no order with the sid “{value}” yet; the cancel waits for it, until the day's end",
        "委托一到就在这里撤销；编号写错了，就用正确的编号再撤",
        "its order is cancelled here when it comes; if the sid is wrong, cancel the right one",
    ),
    Code.CANCEL_UNANSWERED: Words(
        "撤单交接 {value} 次仍无回报",
        "handed over {value} times, the terminal has not answered",
        "在终端核对并手工撤单",
        "check the terminal and cancel it there",
    ),
    Code.RESEND_NOT_PROVEN: Words(
        "{value} 目前是 {bound},没有证明柜台从未收到，不能重发",
        "{value} is {bound}; it is not proven that the broker never had it",
        "先用 orderdrop why {value} 查明",
        "find out first with orderdrop why {value}",
    ),
    Code.RESEND_OFF: Words(
        "通道 {bound} 的设置是从不重发，{value} 没有再送",
        "the settings of gateway {bound} say never to resend, {value} was not handed over again",
        '要重发：设 resend = "ask" 后重启路由器再试；不要了：orderdrop cancel {value},再用新编号下单',
        'set resend = "ask" and start the router again, or give it up with orderdrop cancel {value} and order under a new sid',
    ),
    Code.DAY_OVER: Words(
        "交易日 {value} 已结束，未发送",
        "the trading day {value} ended before it was sent",
        "今天重新下单",
        "order again today",
    ),
    Code.TAKEN_BACK: Words(
        "收盘时终端还没有取走，已从扫单文件夹收回，未成交",
        "the terminal had not taken it by the close; it was taken out of the scan folder, nothing was executed",
        "下一交易日用新的 sid 重新下单，并查终端为何没有扫单",
        "order again on the next trading day under a new sid, and see why the terminal did not scan",
    ),
    Code.DUPLICATE: Words(
        "重复：{value} 已收到过",
        "duplicate: {value} was taken before",
        "不会再发送；那笔委托的结果见 orderdrop why {value},要再下一笔请给新编号",
        "it is not sent again; see orderdrop why {value}, and give a further order a new sid",
    ),
    Code.REPEATED_ROW: Words(
        "与今天的 {bound} 相同（{value}），没有委托编号：可能是同一文件又放了一次，暂不发送",
        "the same as {bound} of today ({value}), and it has no sid: perhaps the same file once more, so it waits",
        "确实要再下一笔：orderdrop release；否则 orderdrop cancel",
        "orderdrop release sends it as an order of its own, orderdrop cancel drops it",
    ),
    Code.BROKER_REJECTED: Words(
        "柜台拒绝：{value}",
        "the broker rejected it: {value}",
        "请按柜台返回的原因（{bound}）修改，再用新编号下单",
        "fix the reason given by the broker (code {bound}), then order again with a new sid",
    ),
    Code.UNCONFIRMED: Words(
        "超时未确认，可能已在途：{value}",
        "not confirmed in time, it may be live: {value}",
        "按已发送对待，先在终端核对，不要换编号重下；证明漏单后会提示",
        "treat it as live, check the terminal, do not order it again under another sid; you are told once it is proven lost",
    ),
    Code.INTERRUPTED: Words(
        "交接时中断，没有找到凭据：{value}",
        "the hand-over was interrupted and no evidence was found: {value}",
        "按已发送对待，在终端核对这笔委托；账户 {bound} 的新委托先等待，核对后 orderdrop release <sid> 即继续",
        "treat it as live, look for it in the terminal; new orders of {bound} wait until it shows up, or until orderdrop release <sid> says that you have looked",
    ),
    Code.ADOPTED: Words(
        "日志库丢失或变旧后由 orderdrop adopt 补记：{value}",
        "written down by orderdrop adopt, after the journal was lost or had become older: {value}",
        "按已发送对待，在终端核对；柜台有回报即以回报为准，不会再送",
        "treat it as live and look for it in the terminal; what the broker tells of it counts, it is not sent again",
    ),
    Code.DAY_WRONG: Words(
        "时钟错误时开始的一天：{value}，由 orderdrop adopt --day-was-wrong 撤销",
        "the clock was wrong when this day was begun: {value}; orderdrop adopt --day-was-wrong has taken it back",
        "未送出的改正后重新放入；已送出的在终端核对",
        "what never left may be dropped again; look for what left in the terminal",
    ),
    Code.PROVEN_ABSENT: Words(
        "漏单：已证明终端从未收到这笔委托",
        "lost: it is proven that the terminal never had this order",
        "要重发用 orderdrop resend <sid>(编号不变),不要了用 orderdrop cancel <sid>",
        "orderdrop resend <sid> hands it over again under the same sid, orderdrop cancel <sid> gives it up",
    ),
    Code.RESENT: Words(
        "漏单已证明，同一编号再次交接",
        "proven lost, handed over once more under the same sid",
        "无需操作",
        "nothing to do",
    ),
    Code.NEVER_CONFIRMED: Words(
        "到日终也没有确认：{value}",
        "not confirmed by the end of its day: {value}",
        "向券商核对当日成交",
        "compare with the broker's statement of that day",
    ),
    Code.NEVER_ENDED: Words(
        "到日终柜台也没有给出终态，最后是 {value};委托只在当日有效，按过期处理",
        "its day is over and the broker never told how it ended, it was {value} at last; an order lives one day, so it counts as expired",
        "向券商核对当日成交；柜台之后再有回报，以回报为准",
        "compare with the broker's statement of that day; what the broker tells later on still counts",
    ),
    Code.FILLS_MISSING: Words(
        "柜台说成交 {bound}，成交明细只有 {value} / {bound}",
        "the broker says that {bound} are filled, but its fills add up to {value} of {bound}",
        "额度按较多的一方计；均价可能不完整，以券商对账单为准",
        "limits count the greater of both; the average price may be incomplete, trust the broker's statement",
    ),
    Code.FILLS_BEYOND: Words(
        "柜台只说成交 {bound}，成交明细却有 {value} / {bound}：可能一笔成交报了两次",
        "the broker says that {bound} are filled, but its fills add up to {value} of {bound}: one may have been told twice",
        "额度按较多的一方计；在终端核对这笔委托的成交，以券商对账单为准",
        "limits count the greater of both; look into the terminal for its fills, and trust the broker's statement",
    ),
    Code.OVERFILLED: Words(
        "成交 {value} 超过委托 {bound}:可能重复执行",
        "filled {value} of {bound}: it may have been executed twice",
        "立即在终端核对并停止下单",
        "check the terminal at once and stop trading",
    ),
}

REJECTION_REMEDIES: Final[dict[str, tuple[str, str]]] = {
    "1": ("查看柜台的风控规则，或问券商", "look at the broker's risk rules, or ask the broker"),
    "2": ("减少数量或入金；在途的买单也占用资金", "order less or add cash; open purchases take cash, too"),
    "3": (
        "减少数量；当天买入的股票明天才能卖",
        "sell less; shares bought today can be sold from tomorrow on",
    ),
    "4": (
        "核对账户（掘金是 UUID，不是资金账号）",
        "check the account (掘金's is a UUID, not the broker's number)",
    ),
    "6": (
        "核对证券代码；该账户可能没有这个市场的权限",
        "check the symbol; the account may lack permission for its market",
    ),
    "7": ("改成整手；卖出零股要一次卖完", "order whole lots; an odd lot must be sold in a single order"),
    "8": (
        "改价格：在涨跌停之内，按最小变动价位",
        "change the price: within the day's limits, in whole ticks",
    ),
    "10": ("账户被禁用，请联系券商", "the account is disabled: ask the broker"),
    "11": (
        "在终端里把账户连接上，再用新编号下单",
        "connect the account in the terminal, then order again with a new sid",
    ),
    "12": (
        "在终端里登录账户，再用新编号下单",
        "log in to the account in the terminal, then order again with a new sid",
    ),
    "13": ("等到交易时段，再用新编号下单", "wait for a trading session, then order again with a new sid"),
    "14": (
        "改成限价，或这个市场支持的市价类型",
        "use a limit order, or a kind of market order that this exchange takes",
    ),
    "15": ("调低 [limits] orders_per_second", "lower [limits] orders_per_second"),
    "16": ("证券停牌，复牌后再下单", "the security is suspended: order again once it trades"),
}
"""What to do about 掘金's reject reasons, in Chinese and English. A broker that names its price or rule in its text says more, and that is shown."""
