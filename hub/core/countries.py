"""Codes of countries (ISO 3166-1, alpha-2 to alpha-3) and of languages (ISO 639-2 and -3 to -1).

OCPI writes alpha-3 in `Location.country` and two letters for a language; both are met in the other form.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


def _table(text: str) -> Mapping[str, str]:
    return MappingProxyType(dict(entry.split("=") for entry in text.split()))


ALPHA_3: Final = _table("""
    AD=AND  AE=ARE  AF=AFG  AG=ATG  AI=AIA  AL=ALB  AM=ARM  AO=AGO  AQ=ATA  AR=ARG  AS=ASM  AT=AUT  AU=AUS
    AW=ABW  AX=ALA  AZ=AZE  BA=BIH  BB=BRB  BD=BGD  BE=BEL  BF=BFA  BG=BGR  BH=BHR  BI=BDI  BJ=BEN  BL=BLM
    BM=BMU  BN=BRN  BO=BOL  BQ=BES  BR=BRA  BS=BHS  BT=BTN  BV=BVT  BW=BWA  BY=BLR  BZ=BLZ  CA=CAN  CC=CCK
    CD=COD  CF=CAF  CG=COG  CH=CHE  CI=CIV  CK=COK  CL=CHL  CM=CMR  CN=CHN  CO=COL  CR=CRI  CU=CUB  CV=CPV
    CW=CUW  CX=CXR  CY=CYP  CZ=CZE  DE=DEU  DJ=DJI  DK=DNK  DM=DMA  DO=DOM  DZ=DZA  EC=ECU  EE=EST  EG=EGY
    EH=ESH  ER=ERI  ES=ESP  ET=ETH  FI=FIN  FJ=FJI  FK=FLK  FM=FSM  FO=FRO  FR=FRA  GA=GAB  GB=GBR  GD=GRD
    GE=GEO  GF=GUF  GG=GGY  GH=GHA  GI=GIB  GL=GRL  GM=GMB  GN=GIN  GP=GLP  GQ=GNQ  GR=GRC  GS=SGS  GT=GTM
    GU=GUM  GW=GNB  GY=GUY  HK=HKG  HM=HMD  HN=HND  HR=HRV  HT=HTI  HU=HUN  ID=IDN  IE=IRL  IL=ISR  IM=IMN
    IN=IND  IO=IOT  IQ=IRQ  IR=IRN  IS=ISL  IT=ITA  JE=JEY  JM=JAM  JO=JOR  JP=JPN  KE=KEN  KG=KGZ  KH=KHM
    KI=KIR  KM=COM  KN=KNA  KP=PRK  KR=KOR  KW=KWT  KY=CYM  KZ=KAZ  LA=LAO  LB=LBN  LC=LCA  LI=LIE  LK=LKA
    LR=LBR  LS=LSO  LT=LTU  LU=LUX  LV=LVA  LY=LBY  MA=MAR  MC=MCO  MD=MDA  ME=MNE  MF=MAF  MG=MDG  MH=MHL
    MK=MKD  ML=MLI  MM=MMR  MN=MNG  MO=MAC  MP=MNP  MQ=MTQ  MR=MRT  MS=MSR  MT=MLT  MU=MUS  MV=MDV  MW=MWI
    MX=MEX  MY=MYS  MZ=MOZ  NA=NAM  NC=NCL  NE=NER  NF=NFK  NG=NGA  NI=NIC  NL=NLD  NO=NOR  NP=NPL  NR=NRU
    NU=NIU  NZ=NZL  OM=OMN  PA=PAN  PE=PER  PF=PYF  PG=PNG  PH=PHL  PK=PAK  PL=POL  PM=SPM  PN=PCN  PR=PRI
    PS=PSE  PT=PRT  PW=PLW  PY=PRY  QA=QAT  RE=REU  RO=ROU  RS=SRB  RU=RUS  RW=RWA  SA=SAU  SB=SLB  SC=SYC
    SD=SDN  SE=SWE  SG=SGP  SH=SHN  SI=SVN  SJ=SJM  SK=SVK  SL=SLE  SM=SMR  SN=SEN  SO=SOM  SR=SUR  SS=SSD
    ST=STP  SV=SLV  SX=SXM  SY=SYR  SZ=SWZ  TC=TCA  TD=TCD  TF=ATF  TG=TGO  TH=THA  TJ=TJK  TK=TKL  TL=TLS
    TM=TKM  TN=TUN  TO=TON  TR=TUR  TT=TTO  TV=TUV  TW=TWN  TZ=TZA  UA=UKR  UG=UGA  UM=UMI  US=USA  UY=URY
    UZ=UZB  VA=VAT  VC=VCT  VE=VEN  VG=VGB  VI=VIR  VN=VNM  VU=VUT  WF=WLF  WS=WSM  XK=XKX  YE=YEM  YT=MYT
    ZA=ZAF  ZM=ZMB  ZW=ZWE
""")

ALPHA_2: Final = MappingProxyType({three: two for two, three in ALPHA_3.items()})

LANGUAGES: Final = _table("""
    bul=bg  cat=ca  ces=cs  cze=cs  cym=cy  wel=cy  dan=da  deu=de  ger=de  ell=el  gre=el  eng=en  est=et
    eus=eu  baq=eu  fin=fi  fra=fr  fre=fr  gle=ga  glg=gl  hrv=hr  hun=hu  isl=is  ice=is  ita=it  lav=lv
    lit=lt  ltz=lb  mlt=mt  nld=nl  dut=nl  nob=nb  nno=nn  nor=no  pol=pl  por=pt  ron=ro  rum=ro  rus=ru
    slk=sk  slo=sk  slv=sl  spa=es  sqi=sq  srp=sr  swe=sv  tur=tr  ukr=uk
""")
